import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs cases through Kafka Streams itself: a topology with the settings that ksqlDB gives it, records one by one.
 *
 * <p>Cases come on standard input and results go to standard output, in the format that README.md describes. The only
 * argument is a folder for state.
 */
public final class Reference {
    /** A null key or value. */
    private static final String NULL = "~";

    /** How long ksqlDB waits for late records where a statement does not say. */
    private static final long GRACE_DEFAULT_MS = Duration.ofHours(24).toMillis();

    /** Between the records of a round that goes in as one. */
    private static final String NEXT = ";";

    /** A record of one of the two input topics; key and value are null where it has none. */
    private record Input(String topic, long timestamp, String key, String value, int round) {}

    /** A case as it was read: its name, its settings, its records in order. */
    private record Case(String name, Map<String, String> settings, List<Input> inputs) {
        String text(String setting) {
            String value = settings.get(setting);
            if (value == null) {
                throw new IllegalArgumentException("case " + name + " lacks " + setting);
            }
            return value;
        }

        Duration duration(String setting) {
            return Duration.ofMillis(Long.parseLong(text(setting)));
        }

        boolean is(String setting, String value) {
            return value.equals(settings.get(setting));
        }

        /** Whether results are held back until the round that they belong to is committed. */
        boolean isCached() {
            return is("cache", "on");
        }

        boolean has(String setting) {
            return settings.containsKey(setting);
        }
    }

    private Reference() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory(Path.of(arguments[0]), "streams");
        ExecutorService workers = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try (PrintWriter out = new PrintWriter(
                new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)))) {
            List<Future<String>> results = new ArrayList<>();
            for (Case one : read()) {
                results.add(workers.submit(() -> run(one, folder.resolve("case" + one.name()))));
            }
            for (Future<String> result : results) {
                out.print(result.get());
            }
        } finally {
            workers.shutdown();
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
    }

    private static List<Case> read() throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<Case> cases = new ArrayList<>();
        int round = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.trim().split(" +");
            switch (words[0]) {
                case "case" -> {
                    cases.add(begin(words));
                    round = 0;
                }
                case "l", "r" -> cases.get(cases.size() - 1).inputs().add(new Input(
                        words[0], Long.parseLong(words[1]), orNull(words[2]), orNull(words[3]), round));
                case "commit" -> round++;
                case "" -> { }
                default -> throw new IllegalArgumentException("not a line of a case: " + line);
            }
        }
        return cases;
    }

    private static Case begin(String[] words) {
        Map<String, String> settings = new HashMap<>();
        for (int word = 2; word < words.length; word++) {
            String[] setting = words[word].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        return new Case(words[1], settings, new ArrayList<>());
    }

    private static String orNull(String word) {
        return NULL.equals(word) ? null : word;
    }

    /** The lines of a case: its name, then one per output record behind the number of the input record it follows. */
    private static String run(Case one, Path state) {
        StringBuilder lines = new StringBuilder("case " + one.name() + "\n");
        StreamsBuilder builder = new StreamsBuilder();
        describe(one, builder);
        Properties properties = properties(one, state);
        try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(properties), properties)) {
            Map<String, TestInputTopic<String, String>> topics = new HashMap<>();
            for (String topic : List.of("l", "r")) {
                topics.put(topic, driver.createInputTopic(
                        topic, Serdes.String().serializer(), Serdes.String().serializer()));
            }
            TestOutputTopic<String, String> output =
                    driver.createOutputTopic("out", Serdes.String().deserializer(), Serdes.String().deserializer());
            List<Input> inputs = one.isCached() ? packed(one.inputs()) : one.inputs();
            for (int index = 0; index < inputs.size(); index++) {
                Input input = inputs.get(index);
                topics.get(input.topic()).pipeInput(input.key(), input.value(), input.timestamp());
                int place = one.isCached() ? input.round() : index;
                output.readRecordsToList().forEach(record -> lines.append(line(place, record)));
            }
        } catch (StreamsException failure) {
            if (!isFaultOfSessionCache(failure)) {
                throw failure;
            }
            return "case " + one.name() + "\nfails\n";
        }
        return lines.toString();
    }

    /** The session cache loses track of where it is when times leap. */
    private static boolean isFaultOfSessionCache(Throwable failure) {
        boolean is = failure instanceof IllegalStateException
                && failure.getMessage().contains("segment interval has changed");
        Stream<Throwable> others = Stream.concat(
                Stream.ofNullable(failure.getCause()), Stream.of(failure.getSuppressed()));
        return is || others.anyMatch(Reference::isFaultOfSessionCache);
    }

    private static String line(int place, TestRecord<String, String> record) {
        return place + " " + record.timestamp() + " " + orNone(record.key()) + " " + orNone(record.value()) + "\n";
    }

    private static String orNone(String text) {
        return text == null ? NULL : text;
    }

    /**
     * The records of each round as one. The test driver commits, and so empties its caches, after each record that is
     * piped in; what is unpacked behind the source is committed together.
     */
    private static List<Input> packed(List<Input> inputs) {
        List<Input> rounds = new ArrayList<>();
        for (Input input : inputs) {
            String text = input.timestamp() + " " + orNone(input.key()) + " " + orNone(input.value());
            Input last = rounds.isEmpty() ? null : rounds.get(rounds.size() - 1);
            boolean isNew = last == null || last.round() != input.round();
            Input round = new Input("l", 0, "round", isNew ? text : last.value() + NEXT + text, input.round());
            if (isNew) {
                rounds.add(round);
            } else {
                rounds.set(rounds.size() - 1, round);
            }
        }
        return rounds;
    }

    /** Forwards the records of a round, with their own keys, without Streams' knowledge: it would repartition. */
    private static final class Unpack implements FixedKeyProcessor<String, String, String> {
        private ProcessorContext<String, String> next;

        @Override
        @SuppressWarnings("unchecked")
        public void init(FixedKeyProcessorContext<String, String> context) {
            next = (ProcessorContext<String, String>) context;
        }

        @Override
        public void process(FixedKeyRecord<String, String> round) {
            for (String text : round.value().split(NEXT)) {
                String[] words = text.split(" ");
                next.forward(new Record<>(orNull(words[1]), orNull(words[2]), Long.parseLong(words[0])));
            }
        }
    }

    private static Properties properties(Case one, Path state) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "case" + one.name());
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, one.isCached() ? 10_000_000L : 0L);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        // Results must not depend on the clock: what is closed is emitted at once, not once a second.
        properties.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        properties.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
        return properties;
    }

    private static void describe(Case one, StreamsBuilder builder) {
        switch (one.text("kind")) {
            case "aggregate" -> {
                KStream<String, String> stream = stream(builder, "l");
                aggregate(one, one.isCached() ? stream.processValues(Unpack::new) : stream);
            }
            case "table-aggregate" -> tableAggregate(table(builder, "l"));
            case "stream-table" -> streamTable(one, stream(builder, "l"), table(builder, "r"));
            case "stream-stream" -> streamStream(one, stream(builder, "l"), stream(builder, "r"));
            case "table-table" -> tableTable(one, table(builder, "l"), table(builder, "r"));
            case "foreign-key" -> foreignKey(one, builder);
            default -> throw new IllegalArgumentException("unknown kind of case " + one.name());
        }
    }

    private static KStream<String, String> stream(StreamsBuilder builder, String topic) {
        return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.String()));
    }

    /** As ksqlDB reads tables: the changes of the topic, stored after a projection. */
    private static KTable<String, String> table(StreamsBuilder builder, String topic) {
        return builder.table(topic, Consumed.with(Serdes.String(), Serdes.String()))
                .mapValues(value -> value, stored(topic + "-store", Serdes.String()));
    }

    private static <K> Materialized<K, String, KeyValueStore<Bytes, byte[]>> stored(String name, Serde<K> keys) {
        return Materialized.<K, String, KeyValueStore<Bytes, byte[]>>as(name)
                .withKeySerde(keys)
                .withValueSerde(Serdes.String());
    }

    private static void sink(KStream<String, String> results) {
        results.to("out", Produced.with(Serdes.String(), Serdes.String()));
    }

    // Aggregates: number of values, sum, least, greatest.

    private static final Initializer<String> EMPTY = () -> "0,0," + Long.MAX_VALUE + "," + Long.MIN_VALUE;

    private static final Merger<String, String> MERGE = (key, one, other) -> {
        long[] a = numbers(one);
        long[] b = numbers(other);
        long least = Math.min(a[2], b[2]);
        long greatest = Math.max(a[3], b[3]);
        return (a[0] + b[0]) + "," + (a[1] + b[1]) + "," + least + "," + greatest;
    };

    private static final Aggregator<String, String, String> ADD = (key, value, aggregate) ->
            MERGE.apply(key, aggregate, "1," + value + "," + value + "," + value);

    private static long[] numbers(String aggregate) {
        return Stream.of(aggregate.split(",")).mapToLong(Long::parseLong).toArray();
    }

    private static void aggregate(Case one, KStream<String, String> stream) {
        KGroupedStream<String, String> groups = stream.groupByKey(Grouped.with(Serdes.String(), Serdes.String()));
        switch (one.text("window")) {
            case "none" -> sink(groups.aggregate(EMPTY, ADD, stored("aggregate", Serdes.String())).toStream());
            case "session" -> {
                SessionWindowedKStream<String, String> windows = groups.windowedBy(
                        SessionWindows.ofInactivityGapAndGrace(one.duration("gap"), grace(one, "gap")));
                windows = one.is("emit", "final") ? windows.emitStrategy(EmitStrategy.onWindowClose()) : windows;
                Materialized<String, String, SessionStore<Bytes, byte[]>> store = Materialized.as("aggregate");
                sink(flat(windows.aggregate(EMPTY, ADD, MERGE, store
                        .withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.String())
                        .withRetention(one.duration("gap").plus(grace(one, "gap"))))));
            }
            default -> {
                TimeWindows size = TimeWindows.ofSizeAndGrace(one.duration("size"), grace(one, "size"));
                TimeWindowedKStream<String, String> windows = groups.windowedBy(
                        one.has("advance") ? size.advanceBy(one.duration("advance")) : size);
                windows = one.is("emit", "final") ? windows.emitStrategy(EmitStrategy.onWindowClose()) : windows;
                Materialized<String, String, WindowStore<Bytes, byte[]>> store = Materialized.as("aggregate");
                sink(flat(windows.aggregate(EMPTY, ADD, store
                        .withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.String())
                        .withRetention(one.duration("size").plus(grace(one, "size"))))));
            }
        }
    }

    /** Semantics 4.4.3: 24 hours less the window, nothing where only final results are wanted. */
    private static Duration grace(Case one, String size) {
        if (one.has("grace")) {
            return one.duration("grace");
        }
        long rest = Math.max(GRACE_DEFAULT_MS - one.duration(size).toMillis(), 0);
        return one.is("emit", "final") ? Duration.ZERO : Duration.ofMillis(rest);
    }

    private static KStream<String, String> flat(KTable<Windowed<String>, String> windows) {
        return windows.toStream((key, value) -> key.key() + "@" + key.window().start() + ".." + key.window().end());
    }

    // Rows of the table are GROUP,NUMBER; no group is an empty text.

    private static void tableAggregate(KTable<String, String> table) {
        sink(table.groupBy(
                        (key, row) -> KeyValue.pair(orEmpty(first(row)), second(row)),
                        Grouped.with(Serdes.String(), Serdes.String()))
                .aggregate(
                        () -> "0,0",
                        (group, value, aggregate) -> shifted(aggregate, 1, Long.parseLong(value)),
                        (group, value, aggregate) -> shifted(aggregate, -1, -Long.parseLong(value)),
                        stored("aggregate", Serdes.String()))
                .toStream());
    }

    private static String shifted(String aggregate, long records, long sum) {
        return (Long.parseLong(first(aggregate)) + records) + "," + (Long.parseLong(second(aggregate)) + sum);
    }

    private static String first(String row) {
        return row.substring(0, row.indexOf(','));
    }

    private static String second(String row) {
        return row.substring(row.indexOf(',') + 1);
    }

    private static String orEmpty(String text) {
        return text.isEmpty() ? null : text;
    }

    // Joins: LEFT,RIGHT; a missing side is an empty text.

    private static final ValueJoiner<String, String, String> BOTH = (left, right) -> side(left) + "," + side(right);

    private static final ValueJoiner<String, String, String> SWAPPED = (right, left) -> side(left) + "," + side(right);

    private static String side(String value) {
        return value == null ? "" : value;
    }

    private static void streamTable(Case one, KStream<String, String> stream, KTable<String, String> table) {
        Joined<String, String, String> serdes = Joined.with(Serdes.String(), Serdes.String(), Serdes.String());
        sink(switch (one.text("join")) {
            case "inner" -> stream.join(table, BOTH, serdes);
            case "left" -> stream.leftJoin(table, BOTH, serdes);
            default -> throw new IllegalArgumentException("unknown join of case " + one.name());
        });
    }

    private static void streamStream(Case one, KStream<String, String> left, KStream<String, String> right) {
        JoinWindows windows = joinWindows(one);
        StreamJoined<String, String, String> serdes =
                StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String());
        sink(switch (one.text("join")) {
            case "inner" -> left.join(right, BOTH, windows, serdes);
            case "left" -> left.leftJoin(right, BOTH, windows, serdes);
            // Semantics 5.2: sides are swapped, before and after are not.
            case "right" -> right.leftJoin(left, SWAPPED, windows, serdes);
            case "outer" -> left.outerJoin(right, BOTH, windows, serdes);
            default -> throw new IllegalArgumentException("unknown join of case " + one.name());
        });
    }

    /** Semantics 5.2: GRACE chooses the mode without spurious results; without it unmatched rows are emitted at once. */
    @SuppressWarnings("deprecation")
    private static JoinWindows joinWindows(Case one) {
        Duration before = one.duration("before");
        Duration after = one.duration("after");
        if (one.has("grace")) {
            return JoinWindows.ofTimeDifferenceAndGrace(before, one.duration("grace")).after(after);
        }
        return JoinWindows.of(before).after(after);
    }

    private static void tableTable(Case one, KTable<String, String> left, KTable<String, String> right) {
        KTable<String, String> joined = switch (one.text("join")) {
            case "inner" -> left.join(right, BOTH);
            case "left" -> left.leftJoin(right, BOTH);
            case "right" -> right.leftJoin(left, SWAPPED);
            case "outer" -> left.outerJoin(right, BOTH);
            default -> throw new IllegalArgumentException("unknown join of case " + one.name());
        };
        sink(joined.mapValues(value -> value, stored("Project-Last", Serdes.String())).toStream());
    }

    /** ksqlDB's key is a list of columns; its bytes are null where its only column is. */
    private record ForeignKey(String column) {}

    private static Serde<ForeignKey> foreignKeys() {
        Serializer<String> write = Serdes.String().serializer();
        Deserializer<String> parse = Serdes.String().deserializer();
        return Serdes.serdeFrom(
                (topic, key) -> key == null ? null : write.serialize(topic, key.column()),
                (topic, bytes) -> bytes == null ? null : new ForeignKey(parse.deserialize(topic, bytes)));
    }

    private static void foreignKey(Case one, StreamsBuilder builder) {
        KTable<String, String> left = table(builder, "l");
        KTable<ForeignKey, String> right = builder.table("r", Consumed.with(foreignKeys(), Serdes.String()))
                .mapValues(value -> value, stored("r-store", foreignKeys()));
        Materialized<String, String, KeyValueStore<Bytes, byte[]>> results = Materialized.with(null, Serdes.String());
        KTable<String, String> joined = switch (one.text("join")) {
            case "inner" -> left.join(right, Reference::foreignKeyOf, BOTH, results);
            case "left" -> left.leftJoin(right, Reference::foreignKeyOf, BOTH, results);
            default -> throw new IllegalArgumentException("unknown join of case " + one.name());
        };
        sink(joined.mapValues(value -> value, stored("Project-Last", Serdes.String())).toStream());
    }

    private static ForeignKey foreignKeyOf(String row) {
        return new ForeignKey(orEmpty(first(row)));
    }
}
