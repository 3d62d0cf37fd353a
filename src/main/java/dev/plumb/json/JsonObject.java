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
 * An object of a JSON document that a user wrote. Every complaint names the path of the value and its line. A key whose value is
 * null counts as absent.
 */
public final class JsonObject {
  /** A value: JsonObject, List of Value, String, Long, Double or Boolean; null for JSON's null. */
  record Value(Object content, int line) {}

  /** Null for the outermost object. */
  private final JsonPath place;
  private final int line;
  private final Map<String, Value> values;

  /**
   * Wraps the values of an object.
   *
   * @param place null for the outermost object
   * @param values in the order of the document; not copied
   */
  JsonObject(JsonPath place, int line, Map<String, Value> values) {
    this.place = place;
    this.line = line;
    this.values = values;
  }

  public boolean has(String key) {
    return values.containsKey(key) && values.get(key).content() != null;
  }

  /** All keys, in the order of the document, those whose value is null too. */
  public Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /** @throws InvalidInputException when there is a key outside of {@code known}; the message names the nearest known one */
  public void allowOnly(Set<String> known) {
    for (Map.Entry<String, Value> entry : values.entrySet()) {
      if (!known.contains(entry.getKey())) {
        throw fault(entry.getKey(), "unknown key \"" + Excerpt.of(entry.getKey()) + "\"" + Spelling.didYouMean(entry.getKey(), known)
            + "; known here: " + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  public String text(String key) {
    return expect(key, String.class, "a string");
  }

  public boolean flag(String key) {
    return expect(key, Boolean.class, "true or false");
  }

  /** A number; NaN and Infinity are let through, for the one who knows the range to refuse. */
  public double number(String key) {
    return expect(key, Number.class, "a number").doubleValue();
  }

  public double number(String key, double otherwise) {
    return has(key) ? number(key) : otherwise;
  }

  public int integer(String key, int otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  /** A whole number of 32 bits. */
  public int integer(String key) {
    return (int) whole(value(key), key, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** A whole number of 64 bits. */
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

  /** Runs a constructor that may refuse what a key holds, and puts the key's place before its complaint. */
  public <T> T at(String key, Supplier<T> made) {
    try {
      return made.get();
    } catch (InvalidInputException e) {
      throw e.at(place(key));
    }
  }

  /** Reads a string by a parser that may refuse it, and puts the key's place before its complaint. */
  public <T> T parsed(String key, Function<String, T> parser) {
    String word = text(key);
    return at(key, () -> parser.apply(word));
  }

  /**
   * Runs a constructor that may refuse what this object as a whole holds, and puts a place before its complaint: the key that
   * the complaint begins with ("epochs -1 must be ..."), where there is one, else the object.
   */
  public <T> T at(Supplier<T> made) {
    try {
      return made.get();
    } catch (InvalidInputException e) {
      String first = e.getMessage().split(" ", 2)[0];
      throw e.at(values.containsKey(first) ? place(first) : place());
    }
  }

  /** A complaint about what a key holds, with its place before it. */
  public InvalidInputException fault(String key, String message) {
    return new InvalidInputException(message).at(place(key));
  }

  private String place(String key) {
    String first = key.contains("[") ? key.substring(0, key.indexOf('[')) : key;
    int at = values.containsKey(first) ? values.get(first).line() : line;
    return (place == null ? "" : place.path() + ".") + Excerpt.of(key) + ", line " + at;
  }

  private String place() {
    return (place == null ? "" : place.path() + ", ") + "line " + line;
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

  private <T> T expect(String key, Class<T> type, String what) {
    Value value = value(key);
    if (!type.isInstance(value.content())) {
      throw wrongType(key, value, what);
    }
    return type.cast(value.content());
  }

  private long whole(Value value, String key, long least, long most) {
    long number;
    if (value.content() instanceof Long whole) {
      number = whole;
    } else if (value.content() instanceof Double real && real == Math.rint(real) && !real.isInfinite()) {
      // Beyond the range of long the conversion stops at its ends, which are out of every range below.
      number = real.longValue();
    } else {
      throw wrongType(key, value, "a whole number");
    }
    if (number < least || number > most) {
      throw wrongType(key, value, "between " + least + " and " + most);
    }
    return number;
  }

  private InvalidInputException wrongType(String key, Value value, String wanted) {
    Object content = value.content();
    String found = content instanceof String text ? "\"" + Excerpt.of(text) + "\""
        : content instanceof JsonObject ? "an object"
        : content instanceof List ? "a list"
        : String.valueOf(content);
    return fault(key, "must be " + wanted + ", not " + found);
  }
}
