import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.text.ParsePosition;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalQueries;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the functions of the language give by the classes of the JDK: a call per line on standard input, its result on a line of
 * standard output, as README.md describes.
 */
public final class Calls {
    /** A DECIMAL with its type. */
    private record Decimal(BigDecimal value, int precision, int scale) {}

    /** DATE, days since 1970-01-01. */
    private record Days(int days) {}

    /** TIME, milliseconds of the day. */
    private record DayTime(int ms) {}

    /** TIMESTAMP, milliseconds since the epoch. */
    private record Moment(long ms) {}

    private static final int LIMIT = 76;

    private Calls() {}

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.US);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        StringBuilder all = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            Object[] values = Arrays.stream(parts).skip(1).map(Calls::read).toArray();
            String result;
            try {
                result = write(call(parts[0], values));
            } catch (Unknown unknown) {
                throw unknown;
            } catch (NotCompared reason) {
                result = "?";
            } catch (ClassCastException bug) {
                // DateTimeFormatterBuilder takes no number behind one that is padded.
                result = "?";
            } catch (RuntimeException | URISyntaxException | StackOverflowError failure) {
                result = "!";
            }
            all.append(result).append('\n');
        }
        out.print(all);
        out.flush();
    }

    /** This program does not know a call. */
    private static final class Unknown extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unknown(String call) {
            super("unknown call " + call);
        }
    }

    // Values.

    private static Object read(String text) {
        if (text.equals("~")) {
            return null;
        }
        String rest = text.substring(1);
        switch (text.charAt(0)) {
            case 'S': return unescaped(rest);
            case 'I': return Integer.valueOf(rest);
            case 'L': return Long.valueOf(rest);
            case 'D': return Double.longBitsToDouble(Long.parseUnsignedLong(rest, 16));
            case 'B': return rest.equals("1");
            case 'Y': return HexFormat.of().parseHex(rest);
            case 'd': return new Days(Integer.parseInt(rest));
            case 't': return new DayTime(Integer.parseInt(rest));
            case 'T': return new Moment(Long.parseLong(rest));
            case 'U': return TimeUnit.valueOf(rest);
            case 'M':
                String[] parts = rest.split("[,:]");
                int scale = Integer.parseInt(parts[1]);
                BigDecimal value = new BigDecimal(new BigInteger(parts[2]), scale);
                return new Decimal(value, Integer.parseInt(parts[0]), scale);
            default: throw new IllegalStateException(text);
        }
    }

    private static String write(Object value) {
        if (value == null) {
            return "~";
        } else if (value instanceof String text) {
            return "S" + escaped(text);
        } else if (value instanceof Integer number) {
            return "I" + number;
        } else if (value instanceof Long number) {
            return "L" + number;
        } else if (value instanceof Double number) {
            return "D" + Long.toHexString(Double.doubleToLongBits(number));
        } else if (value instanceof Boolean truth) {
            return truth ? "B1" : "B0";
        } else if (value instanceof byte[] bytes) {
            return "Y" + HexFormat.of().formatHex(bytes);
        } else if (value instanceof Days date) {
            return "d" + date.days();
        } else if (value instanceof DayTime time) {
            return "t" + time.ms();
        } else if (value instanceof Moment moment) {
            return "T" + moment.ms();
        } else if (value instanceof Decimal decimal) {
            BigInteger unscaled = decimal.value().setScale(decimal.scale(), RoundingMode.UNNECESSARY).unscaledValue();
            return "M" + decimal.precision() + "," + decimal.scale() + ":" + unscaled;
        } else if (value instanceof List<?> list) {
            return "A" + list.stream().map(Calls::write).collect(Collectors.joining(","));
        }
        throw new IllegalStateException(value.getClass().toString());
    }

    private static String escaped(String text) {
        // What UTF-8 cannot say becomes a question mark, as it does in records.
        text = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace(",", "\\c");
    }

    private static String unescaped(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                char next = text.charAt(++i);
                c = next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : next == 'c' ? ',' : next;
            }
            out.append(c);
        }
        return out.toString();
    }

    // Calls. Operators take NULL themselves, all functions but some give NULL for it.

    private static Object call(String name, Object[] v) throws URISyntaxException {
        if (name.startsWith("CAST ")) {
            return v[0] == null ? null : cast(v[0], name.substring(5));
        }
        boolean hasNull = Arrays.stream(v).anyMatch(value -> value == null);
        switch (name) {
            case "<": return !hasNull && compared(v) < 0;
            case "<=": return !hasNull && compared(v) <= 0;
            case ">": return !hasNull && compared(v) > 0;
            case ">=": return !hasNull && compared(v) >= 0;
            case "GREATEST": return Arrays.stream(v).filter(x -> x != null).max(Calls::order).orElse(null);
            case "LEAST": return Arrays.stream(v).filter(x -> x != null).min(Calls::order).orElse(null);
            case "CONCAT":
                return Arrays.stream(v).filter(x -> x != null).map(x -> (String) x).collect(Collectors.joining());
            case "INSTR": return v[0] == null || v[1] == null ? (hasNumbers(v) ? 0 : null) : hasNull ? null : instr(v);
            default: return hasNull ? null : strict(name, v);
        }
    }

    private static boolean hasNumbers(Object[] v) {
        return Arrays.stream(v).skip(2).noneMatch(number -> number == null);
    }

    /** Comparison operators take doubles as Java's operators do. */
    private static int compared(Object[] v) {
        if (v[0] instanceof Double a && v[1] instanceof Double b) {
            if (Double.isNaN(a) || Double.isNaN(b)) {
                throw new IllegalStateException("the generator leaves NaN to zeros_and_nan.spec");
            }
            return a.doubleValue() == b.doubleValue() ? 0 : Double.compare(a, b);
        }
        return order(v[0], v[1]);
    }

    private static int order(Object a, Object b) {
        if (a instanceof String text) {
            return text.compareTo((String) b);
        } else if (a instanceof byte[] bytes) {
            return ByteBuffer.wrap(bytes).compareTo(ByteBuffer.wrap((byte[]) b));
        } else if (a instanceof Double number) {
            return number.compareTo((Double) b);
        } else if (a instanceof Decimal decimal) {
            return decimal.value().compareTo(((Decimal) b).value());
        }
        return ((Long) a).compareTo((Long) b);
    }

    private static Object strict(String name, Object[] v) throws URISyntaxException {
        switch (name) {
            case "+", "-", "*", "/", "%": return arithmetic(name.charAt(0), v[0], v[1]);
            case "SUBSTRING": return substring((String) v[0], (Integer) v[1], v.length > 2 ? (Integer) v[2] : null);
            case "LPAD", "RPAD": return padded((String) v[0], (Integer) v[1], (String) v[2], name.equals("LPAD"));
            case "TRIM": return ((String) v[0]).trim();
            case "REPLACE":
                whole(Pattern.compile(Pattern.quote((String) v[1])), (String) v[0], false);
                return ((String) v[0]).replace((String) v[1], (String) v[2]);
            case "SPLIT": return split((String) v[0], (String) v[1]);
            case "SORT": return split((String) v[0], (String) v[1]).stream().sorted().toList();
            case "UCASE": return ((String) v[0]).toUpperCase(Locale.ROOT);
            case "LCASE": return small((String) v[0]);
            case "INITCAP": return initcap((String) v[0]);
            case "LEN": return v[0] instanceof String text ? text.length() : ((byte[]) v[0]).length;
            case "CHR": return v[0] instanceof Integer code ? chr(code) : escapes((String) v[0]);
            case "ENCODE": return encoded(decoded((String) v[0], (String) v[1], true), (String) v[2]);
            case "TO_BYTES": return decoded((String) v[0], (String) v[1], false);
            case "FROM_BYTES": return encoded((byte[]) v[0], (String) v[1]);
            case "MD5": return md5((String) v[0]);
            case "MASK": return masked((String) v[0], 0, Integer.MAX_VALUE);
            case "MASK_LEFT", "MASK_RIGHT", "MASK_KEEP_LEFT", "MASK_KEEP_RIGHT":
                return masked(name.substring(5), (String) v[0], (Integer) v[1]);
            case "REGEXP_EXTRACT": return extract((String) v[0], (String) v[1], group(v));
            case "REGEXP_EXTRACT_ALL": return extractAll((String) v[0], (String) v[1], group(v));
            case "REGEXP_REPLACE":
                whole(Pattern.compile((String) v[1]), (String) v[0], ((String) v[2]).matches(".*\\$[1-9].*"));
                return ((String) v[0]).replaceAll((String) v[1], (String) v[2]);
            case "REGEXP_SPLIT_TO_ARRAY": return regexSplit((String) v[0], (String) v[1]);
            case "URL_ENCODE_PARAM": return URLEncoder.encode((String) v[0], StandardCharsets.UTF_8);
            case "URL_DECODE_PARAM": return URLDecoder.decode((String) v[0], StandardCharsets.UTF_8);
            case "URL_EXTRACT_FRAGMENT": return new URI((String) v[0]).getFragment();
            case "URL_EXTRACT_HOST": return new URI((String) v[0]).getHost();
            case "URL_EXTRACT_PATH": return new URI((String) v[0]).getPath();
            case "URL_EXTRACT_PORT": return port(new URI((String) v[0]).getPort());
            case "URL_EXTRACT_PROTOCOL": return new URI((String) v[0]).getScheme();
            case "URL_EXTRACT_QUERY": return new URI((String) v[0]).getQuery();
            default: return v[0] instanceof String || isTime(v) ? time(name, v) : number(name, v);
        }
    }

    // Texts.

    private static String substring(String text, int position, Integer length) {
        int start = position < 0 ? Math.max(text.length() + position, 0) : Math.min(Math.max(position - 1, 0), text.length());
        int end = length == null ? text.length() : Math.max(start, Math.min(start + length, text.length()));
        return text.substring(start, end);
    }

    /** By its description: the position, 0 if there is none; from the end, backwards, where the position is negative. */
    private static int instr(Object[] v) {
        String text = (String) v[0];
        String part = (String) v[1];
        int position = v.length > 2 ? (Integer) v[2] : 1;
        int occurrence = v.length > 3 ? (Integer) v[3] : 1;
        if (Math.abs((long) position) > text.length() || occurrence < 1) {
            return 0;
        }
        int at = position < 0 ? text.length() + position : Math.max(position - 1, 0);
        int step = position < 0 ? -1 : 1;
        for (; at >= 0 && at <= text.length(); at += step) {
            if (text.startsWith(part, at) && --occurrence == 0) {
                return at + 1;
            }
        }
        return 0;
    }

    private static String padded(String text, int length, String padding, boolean isLeft) {
        if (padding.isEmpty() || length < 0) {
            return null;
        }
        int missing = Math.max(length - text.length(), 0);
        String fill = padding.repeat(missing / padding.length() + 1).substring(0, missing);
        String whole = isLeft ? fill + text : text + fill;
        return whole.substring(0, length);
    }

    private static List<String> split(String text, String delimiter) {
        if (delimiter.isEmpty()) {
            whole(Pattern.compile(""), text, false);
            return Arrays.asList(text.split(""));
        }
        return Arrays.asList(text.split(Pattern.quote(delimiter), -1));
    }

    /** Which sigma ends a word Java asks its own rules of words, others those of Unicode: they agree on letters and blanks. */
    private static String small(String text) {
        if (text.indexOf('Σ') >= 0 && !text.matches("[\\p{L}\\s&&[^\\x{2B0}-\\x{36F}\\x{374}-\\x{37E}\\x{10000}-\\x{10FFFF}]]*")) {
            throw new NotCompared();
        }
        return text.toLowerCase(Locale.ROOT);
    }

    private static String initcap(String text) {
        Matcher words = Pattern.compile("\\S+\\s*").matcher(small(text));
        StringBuilder out = new StringBuilder();
        while (words.find()) {
            String word = words.group();
            out.append(word.substring(0, 1).toUpperCase(Locale.ROOT)).append(word.substring(1));
        }
        return out.toString();
    }

    private static String chr(int code) {
        return Character.isValidCodePoint(code) ? new String(Character.toChars(code)) : null;
    }

    /** Texts of escapes only; the generator makes no others. */
    private static String escapes(String text) {
        Matcher escapes = Pattern.compile("\\\\u(\\p{XDigit}{4})").matcher(text);
        return escapes.replaceAll(found -> Matcher.quoteReplacement("" + (char) Integer.parseInt(found.group(1), 16)));
    }

    private static byte[] decoded(String text, String encoding, boolean hasPrefixes) {
        switch (encoding) {
            case "hex":
                if (hasPrefixes && text.startsWith("0x")) {
                    text = text.length() % 2 == 0 ? text.substring(2) : "0" + text.substring(2);
                } else if (hasPrefixes && text.matches("[xX]'.*'")) {
                    text = text.substring(2, text.length() - 1);
                }
                return HexFormat.of().parseHex(text);
            case "utf8": return text.getBytes(StandardCharsets.UTF_8);
            case "ascii": return text.getBytes(StandardCharsets.US_ASCII);
            case "base64": return Base64.getDecoder().decode(text);
            default: throw new IllegalArgumentException(encoding);
        }
    }

    private static String encoded(byte[] bytes, String encoding) {
        switch (encoding) {
            case "hex": return HexFormat.of().formatHex(bytes);
            case "utf8": return new String(bytes, StandardCharsets.UTF_8);
            case "ascii": return new String(bytes, StandardCharsets.US_ASCII);
            case "base64": return Base64.getEncoder().encodeToString(bytes);
            default: throw new IllegalArgumentException(encoding);
        }
    }

    private static String md5(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (java.security.NoSuchAlgorithmException none) {
            throw new IllegalStateException(none);
        }
    }

    private static String masked(String which, String text, int count) {
        if (count < 0) {
            throw new IllegalArgumentException("negative");
        }
        int length = text.length();
        int some = Math.min(count, length);
        switch (which) {
            case "LEFT": return masked(text, 0, some);
            case "RIGHT": return masked(text, length - some, length);
            case "KEEP_LEFT": return masked(text, some, length);
            default: return masked(text, 0, length - some);
        }
    }

    /** With the chars from one index to another replaced by those of their classes. */
    private static String masked(String text, int from, int to) {
        StringBuilder out = new StringBuilder(text);
        for (int i = from; i < Math.min(to, text.length()); i++) {
            // The first unit of a wide character counts as the whole of it.
            boolean isCut = i == to - 1;
            switch (Character.getType(isCut ? text.charAt(i) : text.codePointAt(i))) {
                case Character.UPPERCASE_LETTER -> out.setCharAt(i, 'X');
                case Character.LOWERCASE_LETTER -> out.setCharAt(i, 'x');
                case Character.DECIMAL_DIGIT_NUMBER -> out.setCharAt(i, 'n');
                default -> out.setCharAt(i, '-');
            }
        }
        return out.toString();
    }

    private static Integer port(int port) {
        return port < 0 ? null : port;
    }

    // Regular expressions.

    /** A call whose result is not compared, as README.md says. */
    private static final class NotCompared extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /**
     * Refuses what has a match that begins or ends within a character (to Levada those past U+FFFF are one, not two), and what later
     * versions of Java take otherwise.
     */
    private static void whole(Pattern pattern, String text, boolean asksForGroups) {
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            if (isWithin(text, matcher.start()) || isWithin(text, matcher.end())) {
                throw new NotCompared();
            }
        }
        String all = pattern.pattern();
        boolean hasGroups = asksForGroups || all.matches("(?s).*\\\\[1-9].*");
        if (hasGroups && all.matches("(?s).*(\\(\\?[=!>]|\\)[*+?{]).*")) {
            // Java's groups keep what they have found in places that are given up again.
            throw new NotCompared();
        }
        // Classes by letter case regardless of case: JDK 11 and 17 differ.
        if (all.contains("(?i") && all.matches("(?s).*\\\\p\\{(Lu|java).*")) {
            throw new NotCompared();
        }
        boolean hasBounds = pattern.pattern().contains("\\b") || pattern.pattern().contains("\\B");
        if (hasBounds && Runtime.version().feature() > 18 && !text.matches("\\p{ASCII}*")) {
            throw new NotCompared();
        }
    }

    private static boolean isWithin(String text, int at) {
        return at > 0 && at < text.length() && Character.isSurrogatePair(text.charAt(at - 1), text.charAt(at));
    }

    private static int group(Object[] v) {
        return v.length > 2 ? (Integer) v[2] : 0;
    }

    private static String extract(String pattern, String text, int group) {
        whole(Pattern.compile(pattern), text, group > 0);
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return group <= matcher.groupCount() && matcher.find() ? matcher.group(group) : null;
    }

    private static List<String> extractAll(String pattern, String text, int group) {
        whole(Pattern.compile(pattern), text, group > 0);
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (group > matcher.groupCount()) {
            return null;
        }
        List<String> all = new ArrayList<>();
        while (matcher.find()) {
            all.add(matcher.group(group));
        }
        return all;
    }

    /** Patterns that match nothing at all split as String.split does, others leave empty parts at the end. */
    private static List<String> regexSplit(String text, String regex) {
        Pattern pattern = Pattern.compile(regex);
        whole(pattern, text, false);
        return Arrays.asList(pattern.split(text, regex.isEmpty() || pattern.matcher("").matches() ? 0 : -1));
    }

    // Dates and times.

    private static boolean isTime(Object[] v) {
        Object last = v[v.length - 1];
        return v[0] instanceof Days || v[0] instanceof DayTime || v[0] instanceof Moment || v[0] instanceof TimeUnit
                || last instanceof Moment;
    }

    private static Object time(String name, Object[] v) {
        switch (name) {
            case "FORMAT_DATE":
                return LocalDate.ofEpochDay(((Days) v[0]).days()).format(DateTimeFormatter.ofPattern((String) v[1]));
            case "FORMAT_TIME":
                return dayTime(((DayTime) v[0]).ms()).format(DateTimeFormatter.ofPattern((String) v[1]));
            case "FORMAT_TIMESTAMP":
                ZoneId zone = v.length > 2 ? ZoneId.of((String) v[2]) : ZoneOffset.UTC;
                DateTimeFormatter format = DateTimeFormatter.ofPattern((String) v[1]);
                return Instant.ofEpochMilli(((Moment) v[0]).ms()).atZone(v.length > 2 ? zone : ZoneId.of("UTC")).format(format);
            case "PARSE_DATE": return parseDate((String) v[0], (String) v[1]);
            case "PARSE_TIME": return parseTime((String) v[0], (String) v[1]);
            case "PARSE_TIMESTAMP":
                return parseTimestamp((String) v[0], (String) v[1], ZoneId.of(v.length > 2 ? (String) v[2] : "UTC"));
            case "DATEADD":
                long sum = TimeUnit.DAYS.toMillis(((Days) v[2]).days()) + ((TimeUnit) v[0]).toMillis((Integer) v[1]);
                return new Days(Math.toIntExact(TimeUnit.MILLISECONDS.toDays(sum)));
            case "TIMEADD":
                LocalTime later = dayTime(((DayTime) v[2]).ms()).plusNanos(((TimeUnit) v[0]).toNanos((Integer) v[1]));
                return new DayTime(later.get(ChronoField.MILLI_OF_DAY));
            case "TIMESTAMPADD":
                return new Moment(((Moment) v[2]).ms() + ((TimeUnit) v[0]).toMillis((Integer) v[1]));
            case "CONVERT_TZ":
                long ms = ((Moment) v[0]).ms();
                return new Moment(ms + offset((String) v[2], ms) - offset((String) v[1], ms));
            default: throw new Unknown(name);
        }
    }

    private static LocalTime dayTime(int ms) {
        return LocalTime.ofNanoOfDay(ms * 1_000_000L);
    }

    private static int offset(String zone, long ms) {
        return TimeZone.getTimeZone(ZoneId.of(zone)).getOffset(ms);
    }

    private static boolean says(TemporalAccessor parsed, boolean isDate) {
        return Arrays.stream(ChronoField.values())
                .anyMatch(field -> (isDate ? field.isDateBased() : field.isTimeBased()) && parsed.isSupported(field));
    }

    private static TemporalAccessor parsed(String text, String pattern) {
        return formatter(pattern).parse(text);
    }

    private static DateTimeFormatter formatter(String pattern) {
        return new DateTimeFormatterBuilder().parseCaseInsensitive().appendPattern(pattern).toFormatter();
    }

    /** As SimpleDateFormat, which ksqlDB has here, the text may go on, and what it does not say is that of 1970-01-01. */
    private static Days parseDate(String text, String pattern) {
        TemporalAccessor parsed = formatter(pattern).parse(text, new ParsePosition(0));
        if (says(parsed, false)) {
            throw new IllegalArgumentException("has a time");
        }
        return new Days((int) date(parsed).toEpochDay());
    }

    private static LocalDate date(TemporalAccessor parsed) {
        LocalDate date = parsed.query(TemporalQueries.localDate());
        if (date != null) {
            return date;
        }
        return LocalDate.of(part(parsed, ChronoField.YEAR, 1970), part(parsed, ChronoField.MONTH_OF_YEAR, 1), 1)
                .withDayOfMonth(part(parsed, ChronoField.DAY_OF_MONTH, 1));
    }

    private static DayTime parseTime(String text, String pattern) {
        TemporalAccessor parsed = parsed(text, pattern);
        if (says(parsed, true)) {
            throw new IllegalArgumentException("has a date");
        }
        return new DayTime((int) (LocalTime.from(parsed).toNanoOfDay() / 1_000_000));
    }

    /** What the text does not say is that of 1970-01-01T00:00. */
    private static Moment parseTimestamp(String text, String pattern, ZoneId zone) {
        TemporalAccessor parsed = parsed(text, pattern);
        ZoneId own = parsed.query(TemporalQueries.zone());
        LocalDate date = date(parsed);
        LocalTime time = parsed.query(TemporalQueries.localTime());
        if (time == null) {
            time = LocalTime.of(0, part(parsed, ChronoField.MINUTE_OF_HOUR, 0), part(parsed, ChronoField.SECOND_OF_MINUTE, 0),
                    part(parsed, ChronoField.NANO_OF_SECOND, 0));
        }
        ZonedDateTime moment = LocalDateTime.of(date, time).atZone(own == null ? zone : own);
        return new Moment(moment.toInstant().toEpochMilli());
    }

    private static int part(TemporalAccessor parsed, ChronoField field, int otherwise) {
        return parsed.isSupported(field) ? parsed.get(field) : otherwise;
    }

    // Numbers.

    private static Object arithmetic(char sign, Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            double x = asDouble(a);
            double y = asDouble(b);
            return switch (sign) {
                case '+' -> x + y;
                case '-' -> x - y;
                case '*' -> x * y;
                case '/' -> x / y;
                default -> x % y;
            };
        } else if (a instanceof Decimal || b instanceof Decimal) {
            return arithmetic(sign, asDecimal(a), asDecimal(b));
        } else if (a instanceof Long || b instanceof Long) {
            long x = ((Number) a).longValue();
            long y = ((Number) b).longValue();
            return switch (sign) {
                case '+' -> x + y;
                case '-' -> x - y;
                case '*' -> x * y;
                case '/' -> x / y;
                default -> x % y;
            };
        }
        int x = (Integer) a;
        int y = (Integer) b;
        return switch (sign) {
            case '+' -> x + y;
            case '-' -> x - y;
            case '*' -> x * y;
            case '/' -> x / y;
            default -> x % y;
        };
    }

    private static double asDouble(Object value) {
        return value instanceof Decimal decimal ? decimal.value().doubleValue() : ((Number) value).doubleValue();
    }

    private static Decimal asDecimal(Object value) {
        if (value instanceof Decimal decimal) {
            return decimal;
        }
        return new Decimal(BigDecimal.valueOf(((Number) value).longValue()), value instanceof Integer ? 10 : 19, 0);
    }

    private static Decimal arithmetic(char sign, Decimal a, Decimal b) {
        int widest = Math.max(a.scale(), b.scale());
        int leftA = a.precision() - a.scale();
        int leftB = b.precision() - b.scale();
        int scale = switch (sign) {
            case '*' -> a.scale() + b.scale();
            case '/' -> Math.max(6, a.scale() + b.precision() + 1);
            default -> widest;
        };
        int precision = switch (sign) {
            case '*' -> a.precision() + b.precision() + 1;
            case '/' -> leftA + b.scale() + scale;
            case '%' -> Math.min(leftA, leftB) + widest;
            default -> Math.max(leftA, leftB) + widest + 1;
        };
        if (precision > LIMIT) {
            throw new Unknown("DECIMAL of " + precision + " digits");
        }
        MathContext exact = new MathContext(precision, RoundingMode.UNNECESSARY);
        BigDecimal result = switch (sign) {
            case '+' -> a.value().add(b.value(), exact);
            case '-' -> a.value().subtract(b.value(), exact);
            case '*' -> a.value().multiply(b.value(), exact);
            case '/' -> a.value().divide(b.value(), exact);
            default -> a.value().remainder(b.value(), exact);
        };
        return new Decimal(result.setScale(scale), precision, scale);
    }

    private static Object number(String name, Object[] v) {
        Integer places = v.length > 1 ? (Integer) v[1] : null;
        if (v[0] instanceof Decimal decimal) {
            BigDecimal value = decimal.value();
            RoundingMode half = value.signum() > 0 ? RoundingMode.HALF_UP : RoundingMode.HALF_DOWN;
            return switch (name) {
                case "ABS" -> new Decimal(value.abs(), decimal.precision(), decimal.scale());
                case "CEIL" -> same(decimal, value.setScale(0, RoundingMode.CEILING));
                case "FLOOR" -> same(decimal, value.setScale(0, RoundingMode.FLOOR));
                case "ROUND" -> rounded(decimal, places, half);
                case "TRUNC" -> rounded(decimal, places, RoundingMode.DOWN);
                default -> throw new Unknown(name);
            };
        }
        double value = (Double) v[0];
        BigDecimal exact = name.equals("CEIL") || name.equals("FLOOR") || places == null ? null : BigDecimal.valueOf(value);
        RoundingMode half = value > 0 ? RoundingMode.HALF_UP : RoundingMode.HALF_DOWN;
        switch (name) {
            case "ABS": return Math.abs(value);
            case "CEIL": return Math.ceil(value);
            case "FLOOR": return Math.floor(value);
            case "SIGN": return (int) Math.signum(value);
            case "ROUND":
                return places == null ? (Object) Math.round(value) : (Object) exact.setScale(places, half).doubleValue();
            case "TRUNC":
                return places == null ? (Object) (long) value : (Object) exact.setScale(places, RoundingMode.DOWN).doubleValue();
            default: throw new Unknown(name);
        }
    }

    private static Decimal same(Decimal type, BigDecimal value) {
        return new Decimal(value, type.precision(), type.scale());
    }

    private static Decimal rounded(Decimal decimal, Integer places, RoundingMode mode) {
        if (places == null) {
            return new Decimal(decimal.value().setScale(0, mode), decimal.precision() - decimal.scale(), 0);
        }
        // More places than there are change nothing; the type, and with it the places that are shown, stays.
        return same(decimal, decimal.value().setScale(Math.min(places, decimal.scale()), mode));
    }

    // CAST.

    private static Object cast(Object value, String type) {
        if (type.startsWith("DECIMAL")) {
            String[] parts = type.substring(8, type.length() - 1).split(", *");
            return decimal(value, Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        }
        return value instanceof String text ? read(text.trim(), text, type) : converted(value, type);
    }

    private static Object read(String trimmed, String text, String type) {
        switch (type) {
            case "BOOLEAN":
                String lower = trimmed.toLowerCase(Locale.ROOT);
                return !lower.isEmpty() && ("true".startsWith(lower) || "yes".startsWith(lower));
            case "INTEGER": return Integer.parseInt(trimmed);
            case "BIGINT": return Long.parseLong(trimmed);
            case "DOUBLE":
                double number = Double.parseDouble(trimmed);
                if (Double.isNaN(number) || Double.isInfinite(number)) {
                    throw new NumberFormatException(text);
                }
                return number;
            case "BYTES": return Base64.getDecoder().decode(text);
            default: throw new Unknown(type);
        }
    }

    private static Object converted(Object value, String type) {
        switch (type) {
            case "STRING": return text(value);
            case "DOUBLE": return asDouble(value);
            case "INTEGER": return value instanceof Decimal decimal ? decimal.value().intValue() : ((Number) value).intValue();
            case "BIGINT": return value instanceof Decimal decimal ? decimal.value().longValue() : ((Number) value).longValue();
            case "TIMESTAMP": return new Moment(TimeUnit.DAYS.toMillis(((Days) value).days()));
            case "DATE": return new Days((int) utc((Moment) value).toLocalDate().toEpochDay());
            case "TIME": return new DayTime(utc((Moment) value).get(ChronoField.MILLI_OF_DAY));
            default: throw new Unknown(type);
        }
    }

    private static LocalDateTime utc(Moment moment) {
        return LocalDateTime.ofInstant(Instant.ofEpochMilli(moment.ms()), ZoneOffset.UTC);
    }

    private static String text(Object value) {
        if (value instanceof Decimal decimal) {
            return decimal.value().toPlainString();
        } else if (value instanceof Double number) {
            return shortest(number);
        } else if (value instanceof Days date) {
            return LocalDate.ofEpochDay(date.days()).toString();
        } else if (value instanceof DayTime time) {
            return dayTime(time.ms()).toString();
        } else if (value instanceof Moment moment) {
            return DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS").format(utc(moment));
        }
        return value.toString();
    }

    /** Double.toString; before JDK 19 that has a digit too many now and then. */
    private static String shortest(double number) {
        String text = Double.toString(number);
        if (!text.matches("-?[0-9.]+(E-?[0-9]+)?")) {
            return text;
        }
        BigDecimal exact = new BigDecimal(number);
        for (int digits = 2; digits < 18; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits));
            if (rounded.doubleValue() == number) {
                return likeDouble(number, rounded, text);
            }
        }
        return text;
    }

    private static String likeDouble(double number, BigDecimal rounded, String text) {
        if (new BigDecimal(text).compareTo(rounded) == 0) {
            return text;
        }
        BigDecimal size = rounded.abs();
        if (size.compareTo(new BigDecimal("1E-3")) >= 0 && size.compareTo(new BigDecimal("1E7")) < 0) {
            String plain = rounded.stripTrailingZeros().toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = size.stripTrailingZeros().unscaledValue().toString();
        int exponent = size.precision() - size.scale() - 1;
        String fraction = digits.length() > 1 ? digits.substring(1) : "0";
        return (number < 0 ? "-" : "") + digits.charAt(0) + "." + fraction + "E" + exponent;
    }

    /** Too many digits before the point are looked for before it is rounded: 9.99 as DECIMAL(2, 1) is 10.0. */
    private static Decimal decimal(Object value, int precision, int scale) {
        BigDecimal number;
        if (value instanceof Double floating) {
            number = new BigDecimal(floating, new MathContext(precision));
        } else if (value instanceof String text) {
            number = new BigDecimal(text.trim());
        } else if (value instanceof Decimal decimal) {
            number = decimal.value();
        } else {
            number = BigDecimal.valueOf(((Number) value).longValue());
        }
        if (number.abs().compareTo(BigDecimal.TEN.pow(precision - scale)) >= 0) {
            throw new ArithmeticException("overflow");
        }
        return new Decimal(number.setScale(scale, RoundingMode.HALF_UP), precision, scale);
    }
}
