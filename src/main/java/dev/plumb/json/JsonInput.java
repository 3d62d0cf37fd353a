package dev.plumb.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
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

/** Reads a JSON file that a user wrote, strictly: one object, no key twice, nothing behind it. */
public final class JsonInput {
  /** NaN is read, so that whoever knows the field's range can refuse it by the field's name. */
  private static final JsonFactory FACTORY = JsonFactory.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
      .build();

  /** Files are read whole; what is larger was not written by hand. */
  private static final int MOST_BYTES = 64 << 20;

  /** Where Jackson tells a programmer which switch to set. */
  private static final Pattern FOR_PROGRAMMERS =
      Pattern.compile("[ ,]*\\((?:not recognized|for non-standard|from `|Source:)[^()]*(?:\\([^()]*\\)[^()]*)?\\)"
          + "|, from `[^`]*`|: enable .*");

  private JsonInput() {}

  /**
   * Reads a whole file.
   *
   * @throws InvalidInputException when it cannot be read or is not a JSON object; the message names line and column, but not the
   *     file: put that before it with {@link InvalidInputException#at}
   */
  public static JsonObject read(Path file) {
    return parse(bytes(file));
  }

  /** The bytes of a whole file, to be parsed and kept; likewise. */
  public static byte[] bytes(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    } catch (IOException e) {
      throw new InvalidInputException(FileErrors.reading(file, e), e);
    }
    if (bytes.length > MOST_BYTES) {
      throw new InvalidInputException("is larger than " + MOST_BYTES + " bytes; no JSON file that Plumb reads needs to be");
    }
    return bytes;
  }

  /**
   * Reads a whole document.
   *
   * @throws InvalidInputException when it is not a JSON object; the message names line and column
   */
  public static JsonObject parse(byte[] utf8) {
    try (JsonParser parser = FACTORY.createParser(utf8)) {
      return document(parser);
    } catch (IOException e) {
      throw new InvalidInputException(FileErrors.reading(null, e), e);
    }
  }

  private static JsonObject document(JsonParser parser) throws IOException {
    try {
      JsonToken first = parser.nextToken();
      if (first != JsonToken.START_OBJECT) {
        throw new InvalidInputException(first == null
            ? "is empty; a JSON object is needed"
            : "line " + parser.currentTokenLocation().getLineNr() + ": a JSON object in braces is needed");
      }
      JsonObject root = object(parser, "");
      if (parser.nextToken() != null) {
        JsonLocation at = parser.currentTokenLocation();
        throw new InvalidInputException(place(at) + ": there is something behind the end of the object");
      }
      return root;
    } catch (JsonProcessingException e) {
      String message = e.getOriginalMessage().lines().findFirst().orElse("");
      JsonLocation at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
      throw new InvalidInputException(
          place(at) + ": this is not JSON: " + FOR_PROGRAMMERS.matcher(message).replaceAll(""), e);
    }
  }

  private static JsonObject object(JsonParser parser, String path) throws IOException {
    int line = parser.currentTokenLocation().getLineNr();
    Map<String, JsonObject.Value> values = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      int keyLine = parser.currentTokenLocation().getLineNr();
      parser.nextToken();
      values.put(key, new JsonObject.Value(content(parser, path.isEmpty() ? key : path + "." + key), keyLine));
    }
    return new JsonObject(path, line, values);
  }

  private static Object content(JsonParser parser, String path) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser, path);
      case START_ARRAY -> {
        List<JsonObject.Value> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          int line = parser.currentTokenLocation().getLineNr();
          items.add(new JsonObject.Value(content(parser, path + "[" + items.size() + "]"), line));
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
