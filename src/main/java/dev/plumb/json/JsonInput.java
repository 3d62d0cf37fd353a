package dev.plumb.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import dev.plumb.model.Excerpt;
import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Strict reader of JSON files that users wrote: one object, unique keys, nothing after the object. Its memory is proportional to
 * the size of the file.
 */
public final class JsonInput {
  /** Limit of a text; effectively the size of the file, because all category names of a model are one text. */
  private static final int MAX_LENGTH = Integer.MAX_VALUE;

  /** Accepts NaN, so that the code that knows a field's range refuses it with the field's name. */
  private static final JsonFactory FACTORY = JsonFactory.builder()
      .streamReadConstraints(StreamReadConstraints.builder().maxNameLength(MAX_LENGTH).maxStringLength(MAX_LENGTH).build())
      // Both are useless when each file is read once, and slow for files with many distinct keys.
      .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
      .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
      .build();

  /** Limit of a file, which is read completely. */
  private static final int MAX_BYTES = 64 << 20;

  /** An empty list or object takes at most 150 bytes while it is read, any other value less. */
  private static final long MAX_VALUES = Runtime.getRuntime().maxMemory() / 200;

  /** Limit of Jackson's messages in code points; they contain keys. */
  private static final int MAX_MESSAGE = 200;

  /** Parts of Jackson's messages that are meant for programmers. */
  private static final Pattern PROGRAMMERS_HINTS =
      Pattern.compile("[ ,]*\\((?:not recognized|for non-standard|from `|Source:)[^()]*(?:\\([^()]*\\)[^()]*)?\\)"
          + "|, from `[^`]*`|: enable .*| \\(start marker at \\[Source: .*\\]\\)");

  private final JsonParser parser;
  private long count;

  private JsonInput(JsonParser parser) {
    this.parser = parser;
  }

  /**
   * Reads a file.
   *
   * @throws InvalidInputException when it cannot be read or is not a JSON object; the message has line and column, but not the
   *     file, which {@link InvalidInputException#at} adds
   */
  public static JsonObject read(Path file) {
    return parse(bytes(file));
  }

  /** Returns the bytes of a file, for {@link #parse}; errors are as in {@link #read}. */
  public static byte[] bytes(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (IOException e) {
      throw new InvalidInputException(FileErrors.reading(file, e), e);
    }
    if (bytes.length > MAX_BYTES) {
      throw new InvalidInputException("is larger than " + MAX_BYTES + " bytes, the maximum of a JSON file");
    }
    return bytes;
  }

  /**
   * Parses a document.
   *
   * @throws InvalidInputException when it is not a JSON object; the message has line and column
   */
  public static JsonObject parse(byte[] utf8) {
    try (JsonParser parser = FACTORY.createParser(utf8)) {
      return new JsonInput(parser).document();
    } catch (IOException e) {
      throw new InvalidInputException(FileErrors.reading(null, e), e);
    }
  }

  private JsonObject document() throws IOException {
    try {
      JsonToken first = parser.nextToken();
      if (first != JsonToken.START_OBJECT) {
        throw new InvalidInputException(first == null
            ? "is empty; a JSON object is needed"
            : "line " + parser.currentTokenLocation().getLineNr() + ": a JSON object in braces is needed");
      }
      JsonObject root = object(null);
      if (parser.nextToken() != null) {
        JsonLocation at = parser.currentTokenLocation();
        throw new InvalidInputException(place(at) + ": unexpected content after the end of the object");
      }
      return root;
    } catch (JsonProcessingException e) {
      String message = e.getOriginalMessage().lines().findFirst().orElse("");
      JsonLocation at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
      throw new InvalidInputException(
          place(at) + ": this is not JSON: " + Excerpt.of(PROGRAMMERS_HINTS.matcher(message).replaceAll(""), MAX_MESSAGE), e);
    }
  }

  /** Reads an object; its path is null for the outermost one. */
  private JsonObject object(JsonPath path) throws IOException {
    int line = parser.currentTokenLocation().getLineNr();
    Map<String, JsonObject.Value> values = Map.of();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      if (values.isEmpty()) {
        values = new LinkedHashMap<>();
      }
      String key = parser.currentName();
      int keyLine = parser.currentTokenLocation().getLineNr();
      parser.nextToken();
      values.put(key, new JsonObject.Value(content(path, key, 0), keyLine));
    }
    return new JsonObject(path, line, values);
  }

  /** Reads the value of a key of an object, or of an index of a list, in which case the key is null. */
  private Object content(JsonPath parent, String key, int index) throws IOException {
    if (++count > MAX_VALUES) {
      throw new InvalidInputException("line " + parser.currentTokenLocation().getLineNr() + ": has more than " + MAX_VALUES
          + " values, for which Java may not have enough memory; set PLUMB_JAVA_OPTS=-Xmx"
          + ((Runtime.getRuntime().maxMemory() >> 30) + 1) * 2 + "g (if the machine has that much)");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(new JsonPath(parent, key, index));
      case START_ARRAY -> {
        JsonPath list = new JsonPath(parent, key, index);
        List<JsonObject.Value> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          int line = parser.currentTokenLocation().getLineNr();
          items.add(new JsonObject.Value(content(list, null, items.size()), line));
        }
        yield items;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          ? (Object) parser.getDoubleValue()
          : (Object) parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> null;
      default -> throw new InvalidInputException(place(parser.currentTokenLocation()) + ": this is not JSON");
    };
  }

  private static String place(JsonLocation at) {
    return "line " + at.getLineNr() + ", column " + at.getColumnNr();
  }
}
