package dev.plumb.study;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values of a configuration by key; those of nested objects have a path as key: optimizer.weightDecay. */
final class ConfigValues {
  /**
   * A value.
   *
   * @param json its JSON
   * @param text the same for people: without quotes and brackets, "-" if there is none
   */
  record Value(String json, String text) {
    static final Value NONE = new Value("null", "-");

    static Value ofText(String text) {
      return new Value("\"" + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + "\"", text);
    }
  }

  private static final JsonFactory FACTORY = new JsonFactory();

  private ConfigValues() {}

  /** Returns the values in the order of the configuration's JSON. */
  static Map<String, Value> of(TrainConfig config) {
    Map<String, Value> values = new LinkedHashMap<>();
    try (JsonParser json = FACTORY.createParser(TrainConfigJson.text(config))) {
      json.nextToken();
      addObject(json, "", values);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (config.trainer().training().batchSize().isEmpty()) {
      values.put("batchSize", new Value("null", "all"));
    }
    return values;
  }

  private static void addObject(JsonParser json, String path, Map<String, Value> values) throws IOException {
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = path + json.currentName();
      if (json.nextToken() == JsonToken.START_OBJECT) {
        addObject(json, key + ".", values);
      } else {
        values.put(key, json.currentToken() == JsonToken.START_ARRAY ? list(json) : scalar(json));
      }
    }
  }

  private static Value list(JsonParser json) throws IOException {
    List<Value> items = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      items.add(scalar(json));
    }
    String texts = String.join(", ", items.stream().map(Value::text).toList());
    return new Value("[" + String.join(", ", items.stream().map(Value::json).toList()) + "]", items.isEmpty() ? "none" : texts);
  }

  private static Value scalar(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case VALUE_NULL -> Value.NONE;
      case VALUE_STRING -> Value.ofText(json.getText());
      default -> new Value(json.getText(), json.getText());
    };
  }
}
