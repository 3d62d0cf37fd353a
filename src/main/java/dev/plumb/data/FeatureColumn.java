package dev.plumb.data;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/** How one column of a table becomes inputs of a network. */
public sealed interface FeatureColumn {
  String name();

  /** How many inputs it takes. */
  int inputs();

  /**
   * A number x becomes (x - mean) / scale.
   *
   * @param fill stands in for a missing number, before it is scaled; without it, missing ones are refused
   */
  record Numeric(String name, double mean, double scale, OptionalDouble fill) implements FeatureColumn {
    public Numeric {
      Objects.requireNonNull(name);
      Objects.requireNonNull(fill);
    }

    @Override
    public int inputs() {
      return 1;
    }
  }

  /**
   * A word becomes one input per category, 1 for its own and 0 for the others; one that no category has becomes 0 throughout.
   *
   * @param categories in ascending order
   * @param fill stands in for a missing word; without it, missing ones are refused
   */
  record Categorical(String name, List<String> categories, Optional<String> fill) implements FeatureColumn {
    public Categorical {
      Objects.requireNonNull(name);
      Objects.requireNonNull(fill);
      categories = List.copyOf(categories);
    }

    @Override
    public int inputs() {
      return categories.size();
    }
  }
}
