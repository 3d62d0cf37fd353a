package dev.plumb.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Writer of JSON: numbers in the shortest form that reads back to the same double (the same on every JDK), null for numbers that
 * are not finite.
 */
public final class JsonOutput {
  private static final JsonFactory FACTORY = JsonFactory.builder()
      .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
      .build();

  /** Content of a document. */
  @FunctionalInterface
  public interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  private JsonOutput() {}

  /** Writes one indented document and a line feed, and leaves the stream open. */
  public static void write(OutputStream out, Body body) throws IOException {
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter()
        .withSeparators(Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER))
        .withObjectIndenter(new DefaultIndenter("  ", "\n"));
    JsonGenerator json = FACTORY.createGenerator(out);
    json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    json.setPrettyPrinter(printer);
    body.write(json);
    json.writeRaw('\n');
    json.close();
  }

  /** Returns one document as one line of UTF-8, without blanks and without a line feed. */
  public static byte[] compact(Body body) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      body.write(json);
    }
    return out.toByteArray();
  }

  public static void number(JsonGenerator json, String key, double value) throws IOException {
    json.writeFieldName(key);
    number(json, value);
  }

  public static void numbers(JsonGenerator json, String key, double[] values) throws IOException {
    json.writeArrayFieldStart(key);
    for (double value : values) {
      number(json, value);
    }
    json.writeEndArray();
  }

  private static void number(JsonGenerator json, double value) throws IOException {
    if (Double.isFinite(value)) {
      json.writeNumber(value);
    } else {
      json.writeNull();
    }
  }
}
