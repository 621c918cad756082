import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;

/**
 * Says for pairs of lines on standard input, a reader's and a writer's schema, whether the first can read what the second has
 * written: a line "true TEXT", "false TEXT" or "fails", where TEXT is the reader's schema as Apache Avro prints it.
 */
public final class Compatibility {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String reader = lines.readLine(); reader != null; reader = lines.readLine()) {
            out.println(answer(reader, lines.readLine()));
        }
        out.flush();
    }

    private static String answer(String readerText, String writerText) {
        try {
            Schema reader = new Schema.Parser().parse(readerText);
            Schema writer = new Schema.Parser().parse(writerText);
            SchemaCompatibilityType type =
                    SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType();
            return (type == SchemaCompatibilityType.COMPATIBLE) + " " + reader;
        } catch (RuntimeException refused) {
            return "fails";
        }
    }

    private Compatibility() {}
}
