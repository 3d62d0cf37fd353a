package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights of classes in the loss.
 *
 * @param byName weight of each named class, greater than 0; a class that is not named has weight 1. Empty for balanced weights:
 *     rows / (classes · rows of the class), as in scikit-learn
 */
public record ClassWeights(Map<String, Double> byName) {
  /** Weights by which every class counts the same. */
  public static final ClassWeights BALANCED = new ClassWeights(Map.of());

  /** The word for {@link #BALANCED}. */
  public static final String BALANCED_KEY = "balanced";

  /**
   * Validates the weights.
   *
   * @param byName weight of each named class, greater than 0; empty for balanced weights
   * @throws InvalidInputException when a weight is not a number greater than 0
   */
  public ClassWeights {
    byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
    byName.forEach((name, weight) -> {
      if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
        throw new InvalidInputException("the weight of class \"" + name + "\" is " + weight + "; it must be a number greater than 0");
      }
    });
  }

  /**
   * Parses weights.
   *
   * @param words the word balanced, or one {@code name=weight} per class
   * @return the weights
   * @throws InvalidInputException when the words are something else
   */
  public static ClassWeights parse(List<String> words) {
    if (words.equals(List.of(BALANCED_KEY))) {
      return BALANCED;
    }
    Map<String, Double> byName = new LinkedHashMap<>();
    for (String word : words) {
      int equals = word.lastIndexOf('=');
      double weight = equals < 0 ? Double.NaN : number(word.substring(equals + 1));
      if (Double.isNaN(weight)) {
        throw new InvalidInputException("\"" + word + "\" must be " + BALANCED_KEY + " or a class and its weight: name=2.5");
      }
      if (byName.put(word.substring(0, equals), weight) != null) {
        throw new InvalidInputException("class \"" + word.substring(0, equals) + "\" has two weights");
      }
    }
    return new ClassWeights(byName);
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /**
   * Returns the weight of each class.
   *
   * @param classNames names of all classes
   * @param labels class of each training row, from 0
   * @return [classes]
   * @throws InvalidInputException when a named class does not exist
   */
  double[] of(List<String> classNames, int[] labels) {
    double[] weights = new double[classNames.size()];
    if (byName.isEmpty()) {
      int[] counts = new int[weights.length];
      for (int label : labels) {
        counts[label]++;
      }
      Arrays.setAll(weights, label -> labels.length / ((double) weights.length * counts[label]));
      return weights;
    }
    for (String name : byName.keySet()) {
      if (!classNames.contains(name)) {
        throw new InvalidInputException("a weight is given for class \"" + name + "\", which does not occur"
            + Spelling.didYouMean(name, new ArrayList<>(classNames)) + "; the classes are " + String.join(", ", classNames));
      }
    }
    Arrays.setAll(weights, label -> byName.getOrDefault(classNames.get(label), 1.0));
    return weights;
  }
}
