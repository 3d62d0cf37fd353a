package dev.plumb.model;

/**
 * How the learning rate changes from epoch to epoch: PyTorch's schedulers of these names, their formulas and, but for the constants
 * that PyTorch wants to be given, their defaults. Epochs are counted from 0 here; the rate of an epoch holds for all its steps.
 */
public sealed interface Schedule {
  /** The closed set, for a switch that the compiler checks. */
  enum Kind implements NamedEnum {
    CONSTANT,
    STEP,
    COSINE,
    EXPONENTIAL,
    PLATEAU;

    /** @throws InvalidInputException when there is no schedule of that name; the message lists all */
    public static Kind of(String name) {
      return NamedEnum.parse(Kind.class, "schedule", name);
    }
  }

  Kind kind();

  /** The same rate from the first step to the last. */
  record Constant() implements Schedule {
    public static final Constant DEFAULT = new Constant();

    @Override
    public Kind kind() {
      return Kind.CONSTANT;
    }
  }

  /** rate · factor^⌊epoch / everyEpochs⌋: StepLR. */
  record Step(int everyEpochs, double factor) implements Schedule {
    public static final Step DEFAULT = new Step(30, 0.1);

    public Step {
      if (everyEpochs < 1) {
        throw new InvalidInputException("everyEpochs " + everyEpochs + " must be at least 1");
      }
      requireFactor(factor);
    }

    @Override
    public Kind kind() {
      return Kind.STEP;
    }
  }

  /** minimumRate + (rate - minimumRate) · (1 + cos(π · epoch / epochs)) / 2: CosineAnnealingLR over all epochs. */
  record Cosine(double minimumRate) implements Schedule {
    public static final Cosine DEFAULT = new Cosine(0);

    public Cosine {
      requireRate(minimumRate);
    }

    @Override
    public Kind kind() {
      return Kind.COSINE;
    }
  }

  /** rate · factor^epoch: ExponentialLR. */
  record Exponential(double factor) implements Schedule {
    public static final Exponential DEFAULT = new Exponential(0.98);

    public Exponential {
      requireFactor(factor);
    }

    @Override
    public Kind kind() {
      return Kind.EXPONENTIAL;
    }
  }

  /**
   * The rate times factor, down to minimumRate, whenever the loss has not fallen by 1 in 10,000 for more than patience epochs:
   * ReduceLROnPlateau.
   */
  record Plateau(int patience, double factor, double minimumRate) implements Schedule {
    public static final Plateau DEFAULT = new Plateau(10, 0.1, 0);

    public Plateau {
      if (patience < 0) {
        throw new InvalidInputException("patience " + patience + " must be at least 0");
      }
      requireFactor(factor);
      requireRate(minimumRate);
    }

    @Override
    public Kind kind() {
      return Kind.PLATEAU;
    }
  }

  /** The schedule of a kind with all its defaults. */
  static Schedule defaultOf(Kind kind) {
    return switch (kind) {
      case CONSTANT -> Constant.DEFAULT;
      case STEP -> Step.DEFAULT;
      case COSINE -> Cosine.DEFAULT;
      case EXPONENTIAL -> Exponential.DEFAULT;
      case PLATEAU -> Plateau.DEFAULT;
    };
  }

  private static void requireFactor(double factor) {
    if (!(factor > 0 && factor <= 1)) {
      throw new InvalidInputException("factor " + factor + " must be above 0 and at most 1");
    }
  }

  private static void requireRate(double rate) {
    if (!(rate >= 0 && rate < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("minimumRate " + rate + " must be a finite number of at least 0");
    }
  }
}
