package dev.plumb.model;

/**
 * Learning-rate schedule. Formulas are those of PyTorch's schedulers, and so are the defaults of arguments that PyTorch gives
 * one. Epochs count from 0; the rate is constant within an epoch.
 */
public sealed interface Schedule {
  /** Kind of schedule. */
  enum Kind implements NamedEnum {
    /** The same rate throughout. */
    CONSTANT,
    /** A factor every few epochs. */
    STEP,
    /** Half a cosine over all epochs. */
    COSINE,
    /** A factor every epoch. */
    EXPONENTIAL,
    /** A factor whenever the loss stops falling. */
    PLATEAU;

    /**
     * Returns the kind of a name, such as "cosine".
     *
     * @param name in lower case
     * @return the kind
     * @throws InvalidInputException when there is no schedule of that name; the message lists all
     */
    public static Kind of(String name) {
      return NamedEnum.parse(Kind.class, "schedule", name);
    }
  }

  /**
   * Returns the kind.
   *
   * @return of this schedule
   */
  Kind kind();

  /** The same rate from the first step to the last. */
  record Constant() implements Schedule {
    /** The only instance that is needed. */
    public static final Constant DEFAULT = new Constant();

    @Override
    public Kind kind() {
      return Kind.CONSTANT;
    }
  }

  /**
   * rate · factor^⌊epoch / everyEpochs⌋: StepLR.
   *
   * @param everyEpochs epochs between two changes, at least 1
   * @param factor above 0 and at most 1
   */
  record Step(int everyEpochs, double factor) implements Schedule {
    /** Factor 0.1 every 30 epochs. */
    public static final Step DEFAULT = new Step(30, 0.1);

    /**
     * Validates the hyperparameters.
     *
     * @param everyEpochs epochs between two changes, at least 1
     * @param factor above 0 and at most 1
     * @throws InvalidInputException when one is out of its range
     */
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

  /**
   * minimumRate + (rate - minimumRate) · (1 + cos(π · epoch / epochs)) / 2: CosineAnnealingLR over all epochs.
   *
   * @param minimumRate the rate at the end, at least 0
   */
  record Cosine(double minimumRate) implements Schedule {
    /** Minimum rate 0. */
    public static final Cosine DEFAULT = new Cosine(0);

    /**
     * Validates the hyperparameters.
     *
     * @param minimumRate the rate at the end, at least 0
     * @throws InvalidInputException when one is out of its range
     */
    public Cosine {
      requireRate(minimumRate);
    }

    @Override
    public Kind kind() {
      return Kind.COSINE;
    }
  }

  /**
   * rate · factor^epoch: ExponentialLR.
   *
   * @param factor above 0 and at most 1
   */
  record Exponential(double factor) implements Schedule {
    /** Factor 0.98. */
    public static final Exponential DEFAULT = new Exponential(0.98);

    /**
     * Validates the hyperparameters.
     *
     * @param factor above 0 and at most 1
     * @throws InvalidInputException when one is out of its range
     */
    public Exponential {
      requireFactor(factor);
    }

    @Override
    public Kind kind() {
      return Kind.EXPONENTIAL;
    }
  }

  /**
   * ReduceLROnPlateau: the rate is multiplied by the factor, down to the minimum rate, when the loss has not fallen by 1 in
   * 10,000 for more than patience epochs.
   *
   * @param patience epochs without improvement that are tolerated, at least 0
   * @param factor above 0 and at most 1
   * @param minimumRate at least 0
   */
  record Plateau(int patience, double factor, double minimumRate) implements Schedule {
    /** Patience 10, factor 0.1, minimum rate 0. */
    public static final Plateau DEFAULT = new Plateau(10, 0.1, 0);

    /**
     * Validates the hyperparameters.
     *
     * @param patience epochs without improvement that are tolerated, at least 0
     * @param factor above 0 and at most 1
     * @param minimumRate at least 0
     * @throws InvalidInputException when one is out of its range
     */
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

  /**
   * Returns the schedule of a kind with its default hyperparameters.
   *
   * @param kind of schedule
   * @return the schedule
   */
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
