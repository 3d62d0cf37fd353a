package dev.plumb.store;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Excerpt;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** Table encoding as one line of JSON; every number reads back to the same double. */
final class EncodingJson {
  private EncodingJson() {}

  static String write(TableEncoding encoding) throws IOException {
    byte[] utf8 = JsonOutput.compact(json -> {
      json.writeStartObject();
      json.writeArrayFieldStart("features");
      for (FeatureColumn feature : encoding.features()) {
        json.writeStartObject();
        write(json, feature);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeObjectFieldStart("target");
      write(json, encoding.target());
      json.writeEndObject();
      if (encoding.naValues().isPresent()) {
        texts(json, "naValues", encoding.naValues().get());
      }
      if (encoding.header().isPresent()) {
        json.writeBooleanField("named", encoding.header().get());
      }
      json.writeEndObject();
    });
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /**
   * Reads an encoding.
   *
   * @throws InvalidInputException when it is not one; the message has the place in the JSON text
   */
  static TableEncoding read(String text) {
    JsonObject root = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    root.allowOnly(Set.of("features", "target", "naValues", "named"));
    List<FeatureColumn> features = new ArrayList<>();
    for (JsonObject feature : root.objects("features")) {
      features.add(feature.has("categories") ? categorical(feature) : numeric(feature));
    }
    if (features.isEmpty()) {
      throw root.fault("features", "must have at least one column");
    }
    requireDistinct(root, "features", features.stream().map(FeatureColumn::name).toList());
    JsonObject target = root.object("target");
    Optional<List<String>> naValues = root.has("naValues") ? Optional.of(root.texts("naValues")) : Optional.empty();
    return new TableEncoding(features, target.has("classes") ? classes(target) : numbers(target), naValues,
        root.has("named") ? Optional.of(root.flag("named")) : Optional.empty());
  }

  private static void write(JsonGenerator json, FeatureColumn feature) throws IOException {
    json.writeStringField("name", feature.name());
    if (feature instanceof FeatureColumn.Numeric numeric) {
      JsonOutput.number(json, "mean", numeric.mean());
      JsonOutput.number(json, "scale", numeric.scale());
      if (numeric.fill().isPresent()) {
        JsonOutput.number(json, "fill", numeric.fill().getAsDouble());
      }
    } else if (feature instanceof FeatureColumn.Categorical categorical) {
      texts(json, "categories", categorical.categories());
      if (categorical.fill().isPresent()) {
        json.writeStringField("fill", categorical.fill().get());
      }
    }
    if (feature.indicator()) {
      json.writeBooleanField("indicator", true);
    }
  }

  private static void write(JsonGenerator json, TargetEncoding target) throws IOException {
    if (target instanceof TargetEncoding.Classes classes) {
      json.writeStringField("name", classes.name());
      texts(json, "classes", classes.classNames());
    } else if (target instanceof TargetEncoding.Numbers numbers) {
      texts(json, "names", numbers.names());
      JsonOutput.numbers(json, "mean", numbers.mean());
      JsonOutput.numbers(json, "scale", numbers.scale());
    }
  }

  static void texts(JsonGenerator json, String key, List<String> texts) throws IOException {
    json.writeArrayFieldStart(key);
    for (String text : texts) {
      json.writeString(text);
    }
    json.writeEndArray();
  }

  private static FeatureColumn numeric(JsonObject feature) {
    feature.allowOnly(Set.of("name", "mean", "scale", "fill", "indicator"));
    OptionalDouble fill = feature.has("fill") ? OptionalDouble.of(finite(feature, "fill", feature.number("fill")))
        : OptionalDouble.empty();
    double mean = finite(feature, "mean", feature.number("mean"));
    double scale = scale(feature, "scale", feature.number("scale"));
    if (indicator(feature) && fill.isEmpty()) {
      throw feature.fault("indicator", "needs \"fill\", the number in place of a missing one");
    }
    return new FeatureColumn.Numeric(feature.text("name"), mean, scale, fill, indicator(feature));
  }

  private static FeatureColumn categorical(JsonObject feature) {
    feature.allowOnly(Set.of("name", "categories", "fill", "indicator"));
    List<String> categories = feature.texts("categories");
    requireDistinct(feature, "categories", categories);
    Optional<String> fill = feature.has("fill") ? Optional.of(feature.text("fill")) : Optional.empty();
    if (indicator(feature) && fill.isPresent()) {
      throw feature.fault("indicator", "cannot be combined with \"fill\"");
    }
    return new FeatureColumn.Categorical(feature.text("name"), categories, fill, indicator(feature));
  }

  /** Models of earlier versions have no indicators. */
  private static boolean indicator(JsonObject feature) {
    return feature.has("indicator") && feature.flag("indicator");
  }

  private static TargetEncoding classes(JsonObject target) {
    target.allowOnly(Set.of("name", "classes"));
    List<String> names = target.texts("classes");
    requireDistinct(target, "classes", names);
    return new TargetEncoding.Classes(target.text("name"), names);
  }

  private static TargetEncoding numbers(JsonObject target) {
    target.allowOnly(Set.of("names", "mean", "scale"));
    List<String> names = target.texts("names");
    requireDistinct(target, "names", names);
    double[] mean = target.numbers("mean");
    double[] scale = target.numbers("scale");
    if (mean.length != names.size() || scale.length != names.size()) {
      throw target.fault("names", "has " + names.size() + " columns, but there are " + mean.length + " means and " + scale.length
          + " scales");
    }
    for (int i = 0; i < mean.length; i++) {
      finite(target, "mean", mean[i]);
      scale(target, "scale", scale[i]);
    }
    return new TargetEncoding.Numbers(names, mean, scale);
  }

  private static double finite(JsonObject object, String key, double number) {
    if (!Double.isFinite(number)) {
      throw object.fault(key, "must be finite, not " + number);
    }
    return number;
  }

  private static double scale(JsonObject object, String key, double number) {
    if (!(finite(object, key, number) > 0)) {
      throw object.fault(key, "must be above 0, not " + number);
    }
    return number;
  }

  private static void requireDistinct(JsonObject object, String key, List<String> names) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw object.fault(key, "has \"" + Excerpt.of(name) + "\" twice");
      }
    }
  }
}
