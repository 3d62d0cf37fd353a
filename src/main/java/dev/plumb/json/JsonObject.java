package dev.plumb.json;

import dev.plumb.model.Excerpt;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Object of a JSON document that a user wrote. Every error message has the path of the value and its line. A key whose value is
 * null counts as absent.
 */
public final class JsonObject {
  /** Value: JsonObject, List of Value, String, Long, Double or Boolean; null for JSON's null. */
  record Value(Object content, int line) {}

  /** Path of this object; null for the outermost one. */
  private final JsonPath path;
  private final int line;
  private final Map<String, Value> values;

  /**
   * Wraps the values of an object.
   *
   * @param path null for the outermost object
   * @param values in the order of the document; not copied
   */
  JsonObject(JsonPath path, int line, Map<String, Value> values) {
    this.path = path;
    this.line = line;
    this.values = values;
  }

  public boolean has(String key) {
    return values.containsKey(key) && values.get(key).content() != null;
  }

  /** Returns all keys in the order of the document, including those whose value is null. */
  public Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /**
   * Checks that all keys are known.
   *
   * @throws InvalidInputException when one is not; the message suggests the nearest known key
   */
  public void allowOnly(Set<String> known) {
    for (Map.Entry<String, Value> entry : values.entrySet()) {
      if (!known.contains(entry.getKey())) {
        throw fault(entry.getKey(), "unknown key \"" + Excerpt.of(entry.getKey()) + "\""
            + Spelling.didYouMean(entry.getKey(), known) + "; known keys: " + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  public String text(String key) {
    return expect(key, String.class, "a string");
  }

  /** Returns whether the value of a key is a string. */
  public boolean isText(String key) {
    return has(key) && values.get(key).content() instanceof String;
  }

  public boolean flag(String key) {
    return expect(key, Boolean.class, "true or false");
  }

  /** Returns whether the value of a key is true or false. */
  public boolean isFlag(String key) {
    return has(key) && values.get(key).content() instanceof Boolean;
  }

  /** Returns whether the value of a key is an object. */
  public boolean isObject(String key) {
    return has(key) && values.get(key).content() instanceof JsonObject;
  }

  public List<Boolean> flags(String key) {
    List<Boolean> result = new ArrayList<>();
    for (Value item : items(key)) {
      if (!(item.content() instanceof Boolean flag)) {
        throw wrongType(key + "[" + result.size() + "]", item, "true or false");
      }
      result.add(flag);
    }
    return result;
  }

  /** Returns a number; NaN and Infinity are accepted, so that the code that knows the range refuses them. */
  public double number(String key) {
    return expect(key, Number.class, "a number").doubleValue();
  }

  public double number(String key, double defaultValue) {
    return has(key) ? number(key) : defaultValue;
  }

  public int integer(String key, int defaultValue) {
    return has(key) ? integer(key) : defaultValue;
  }

  /** Returns a 32-bit integer. */
  public int integer(String key) {
    return (int) whole(value(key), key, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** Returns a 64-bit integer. */
  public long longInteger(String key) {
    return whole(value(key), key, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  public List<Integer> integers(String key) {
    List<Integer> result = new ArrayList<>();
    for (Value item : items(key)) {
      result.add((int) whole(item, key + "[" + result.size() + "]", Integer.MIN_VALUE, Integer.MAX_VALUE));
    }
    return result;
  }

  public List<Long> longs(String key) {
    List<Long> result = new ArrayList<>();
    for (Value item : items(key)) {
      result.add(whole(item, key + "[" + result.size() + "]", Long.MIN_VALUE, Long.MAX_VALUE));
    }
    return result;
  }

  public double[] numbers(String key) {
    List<Value> items = items(key);
    double[] result = new double[items.size()];
    for (int i = 0; i < result.length; i++) {
      if (!(items.get(i).content() instanceof Number number)) {
        throw wrongType(key + "[" + i + "]", items.get(i), "a number");
      }
      result[i] = number.doubleValue();
    }
    return result;
  }

  public List<String> texts(String key) {
    List<String> result = new ArrayList<>();
    for (Value item : items(key)) {
      if (!(item.content() instanceof String text)) {
        throw wrongType(key + "[" + result.size() + "]", item, "a string");
      }
      result.add(text);
    }
    return result;
  }

  public JsonObject object(String key) {
    return expect(key, JsonObject.class, "an object");
  }

  public List<JsonObject> objects(String key) {
    List<JsonObject> result = new ArrayList<>();
    for (Value item : items(key)) {
      if (!(item.content() instanceof JsonObject object)) {
        throw wrongType(key + "[" + result.size() + "]", item, "an object");
      }
      result.add(object);
    }
    return result;
  }

  /** Runs a constructor that may refuse the value of a key, and puts the key's path and line before its message. */
  public <T> T at(String key, Supplier<T> constructor) {
    try {
      return constructor.get();
    } catch (InvalidInputException e) {
      throw e.at(place(key));
    }
  }

  /** Parses a string with a parser that may refuse it, and puts the key's path and line before its message. */
  public <T> T parsed(String key, Function<String, T> parser) {
    String word = text(key);
    return at(key, () -> parser.apply(word));
  }

  /**
   * Runs a constructor that may refuse the values of this object, and puts a path and line before its message: those of the key
   * with which the message begins ("epochs -1 must be ..."), if there is one, otherwise those of the object.
   */
  public <T> T at(Supplier<T> constructor) {
    try {
      return constructor.get();
    } catch (InvalidInputException e) {
      String first = e.getMessage().split(" ", 2)[0];
      throw e.at(values.containsKey(first) ? place(first) : place());
    }
  }

  /** Returns an error about the value of a key, with the key's path and line before the message. */
  public InvalidInputException fault(String key, String message) {
    return new InvalidInputException(message).at(place(key));
  }

  private String place(String key) {
    String first = key.contains("[") ? key.substring(0, key.indexOf('[')) : key;
    int at = values.containsKey(first) ? values.get(first).line() : line;
    return (path == null ? "" : path.text() + ".") + Excerpt.of(key) + ", line " + at;
  }

  private String place() {
    return (path == null ? "" : path.text() + ", ") + "line " + line;
  }

  private Value value(String key) {
    if (!has(key)) {
      throw new InvalidInputException("the key \"" + key + "\" is missing").at(place());
    }
    return values.get(key);
  }

  @SuppressWarnings("unchecked")
  private List<Value> items(String key) {
    return (List<Value>) expect(key, List.class, "a list");
  }

  private <T> T expect(String key, Class<T> type, String expected) {
    Value value = value(key);
    if (!type.isInstance(value.content())) {
      throw wrongType(key, value, expected);
    }
    return type.cast(value.content());
  }

  private long whole(Value value, String key, long min, long max) {
    long number;
    if (value.content() instanceof Long whole) {
      number = whole;
    } else if (value.content() instanceof Double real && real == Math.rint(real) && !real.isInfinite()) {
      // Beyond the range of long the conversion stops at its ends, which are out of every range below.
      number = real.longValue();
    } else {
      throw wrongType(key, value, "a whole number");
    }
    if (number < min || number > max) {
      throw wrongType(key, value, "between " + min + " and " + max);
    }
    return number;
  }

  private InvalidInputException wrongType(String key, Value value, String expected) {
    Object content = value.content();
    String found = content instanceof String text ? "\"" + Excerpt.of(text) + "\""
        : content instanceof JsonObject ? "an object"
        : content instanceof List ? "a list"
        : String.valueOf(content);
    return fault(key, "must be " + expected + ", not " + found);
  }
}
