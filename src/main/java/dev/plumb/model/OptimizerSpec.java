package dev.plumb.model;

/**
 * Optimizer with its hyperparameters; formulas and defaults are PyTorch's. The specification holds no formulas: every backend
 * implements them independently. The learning rate is not part of it, because it differs by step and by network.
 */
public sealed interface OptimizerSpec {
  /** Kind of optimizer. */
  enum Kind implements NamedEnum {
    /** Stochastic gradient descent, optionally with momentum. */
    SGD,
    /** Adam (Kingma and Ba 2015), with weight decay as L2 regularization. */
    ADAM,
    /** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
    ADAMW,
    /** RMSprop, neither centered nor with momentum. */
    RMSPROP;

    /**
     * Returns the kind of a name, such as "adamw".
     *
     * @param name in lower case
     * @return the kind
     * @throws InvalidInputException when there is no optimizer of that name; the message lists all
     */
    public static Kind of(String name) {
      return NamedEnum.parse(Kind.class, "optimizer", name);
    }
  }

  /**
   * Returns the kind.
   *
   * @return of this optimizer
   */
  Kind kind();

  /**
   * Returns the weight decay: its product with a parameter, weight or bias, is added to the gradient. For adamw it shrinks the
   * parameter itself.
   *
   * @return at least 0
   */
  double weightDecay();

  /**
   * Returns this optimizer with another weight decay.
   *
   * @param decay at least 0
   * @return the changed specification
   */
  OptimizerSpec withWeightDecay(double decay);

  /**
   * Checks that no hyperparameter becomes infinite or 0 when it is rounded to a precision.
   *
   * @param precision of the training
   * @throws InvalidInputException when one does
   */
  void requireInRange(Precision precision);

  /**
   * Returns whether the optimizer keeps a running mean of gradients (sgd's momentum buffer, adam's exp_avg).
   *
   * @return true when it does
   */
  boolean usesFirstMoment();

  /**
   * Returns whether the optimizer keeps a running mean of squared gradients (adam's exp_avg_sq, rmsprop's square_avg).
   *
   * @return true when it does
   */
  boolean usesSecondMoment();

  /**
   * Stochastic gradient descent.
   *
   * @param momentum at least 0 and below 1; 0 for none
   * @param nesterov whether to use Nesterov momentum; requires a momentum above 0
   * @param weightDecay at least 0
   */
  record Sgd(double momentum, boolean nesterov, double weightDecay) implements OptimizerSpec {
    /** Without momentum or weight decay. */
    public static final Sgd DEFAULT = new Sgd(0, false, 0);

    /**
     * Validates the hyperparameters.
     *
     * @param momentum at least 0 and below 1; 0 for none
     * @param nesterov whether to use Nesterov momentum; requires a momentum above 0
     * @param weightDecay at least 0
     * @throws InvalidInputException when one is out of its range
     */
    public Sgd {
      requireFraction("momentum", momentum);
      requireNotNegative("weightDecay", weightDecay);
      if (nesterov && momentum == 0) {
        throw new InvalidInputException("nesterov needs a momentum above 0");
      }
    }

    @Override
    public Kind kind() {
      return Kind.SGD;
    }

    @Override
    public Sgd withWeightDecay(double decay) {
      return new Sgd(momentum, nesterov, decay);
    }

    @Override
    public void requireInRange(Precision precision) {
      precision.requireInRange("momentum", momentum);
      precision.requireInRange("weightDecay", weightDecay);
    }

    @Override
    public boolean usesFirstMoment() {
      return momentum > 0;
    }

    @Override
    public boolean usesSecondMoment() {
      return false;
    }
  }

  /**
   * Adam and AdamW.
   *
   * @param beta1 decay of the running mean of gradients, at least 0 and below 1
   * @param beta2 decay of the running mean of squared gradients, at least 0 and below 1
   * @param epsilon added to the denominator, at least 0
   * @param weightDecay at least 0
   * @param decoupled false for adam, whose weight decay is added to the gradient; true for adamw, which shrinks the parameters
   *     themselves
   */
  record Adam(double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled) implements OptimizerSpec {
    /** PyTorch's defaults of Adam. */
    public static final Adam DEFAULT = new Adam(0.9, 0.999, 1e-8, 0, false);
    /** PyTorch's defaults of AdamW. */
    public static final Adam DEFAULT_W = new Adam(0.9, 0.999, 1e-8, 0.01, true);

    /**
     * Validates the hyperparameters.
     *
     * @param beta1 decay of the running mean of gradients, at least 0 and below 1
     * @param beta2 decay of the running mean of squared gradients, at least 0 and below 1
     * @param epsilon added to the denominator, at least 0
     * @param weightDecay at least 0
     * @param decoupled false for adam, whose weight decay is added to the gradient; true for adamw, which shrinks the parameters
     *     themselves
     * @throws InvalidInputException when one is out of its range
     */
    public Adam {
      requireFraction("beta1", beta1);
      requireFraction("beta2", beta2);
      requireNotNegative("epsilon", epsilon);
      requireNotNegative("weightDecay", weightDecay);
    }

    @Override
    public Kind kind() {
      return decoupled ? Kind.ADAMW : Kind.ADAM;
    }

    @Override
    public void requireInRange(Precision precision) {
      precision.requireInRange("beta1", beta1);
      precision.requireInRange("beta2", beta2);
      precision.requireInRange("epsilon", epsilon);
      precision.requireInRange("weightDecay", weightDecay);
    }

    @Override
    public Adam withWeightDecay(double decay) {
      return new Adam(beta1, beta2, epsilon, decay, decoupled);
    }

    @Override
    public boolean usesFirstMoment() {
      return true;
    }

    @Override
    public boolean usesSecondMoment() {
      return true;
    }
  }

  /**
   * RMSprop, neither centered nor with momentum.
   *
   * @param alpha decay of the running mean of squared gradients, at least 0 and below 1
   * @param epsilon added to the denominator, at least 0
   * @param weightDecay at least 0
   */
  record RmsProp(double alpha, double epsilon, double weightDecay) implements OptimizerSpec {
    /** PyTorch's defaults. */
    public static final RmsProp DEFAULT = new RmsProp(0.99, 1e-8, 0);

    /**
     * Validates the hyperparameters.
     *
     * @param alpha decay of the running mean of squared gradients, at least 0 and below 1
     * @param epsilon added to the denominator, at least 0
     * @param weightDecay at least 0
     * @throws InvalidInputException when one is out of its range
     */
    public RmsProp {
      requireFraction("alpha", alpha);
      requireNotNegative("epsilon", epsilon);
      requireNotNegative("weightDecay", weightDecay);
    }

    @Override
    public Kind kind() {
      return Kind.RMSPROP;
    }

    @Override
    public void requireInRange(Precision precision) {
      precision.requireInRange("alpha", alpha);
      precision.requireInRange("epsilon", epsilon);
      precision.requireInRange("weightDecay", weightDecay);
    }

    @Override
    public RmsProp withWeightDecay(double decay) {
      return new RmsProp(alpha, epsilon, decay);
    }

    @Override
    public boolean usesFirstMoment() {
      return false;
    }

    @Override
    public boolean usesSecondMoment() {
      return true;
    }
  }

  /**
   * Returns the optimizer of a kind with its default hyperparameters.
   *
   * @param kind of optimizer
   * @return the specification
   */
  static OptimizerSpec defaultOf(Kind kind) {
    return switch (kind) {
      case SGD -> Sgd.DEFAULT;
      case ADAM -> Adam.DEFAULT;
      case ADAMW -> Adam.DEFAULT_W;
      case RMSPROP -> RmsProp.DEFAULT;
    };
  }

  private static void requireFraction(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new InvalidInputException(name + " " + value + " must be at least 0 and below 1");
    }
  }

  private static void requireNotNegative(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException(name + " " + value + " must be a finite number of at least 0");
    }
  }
}
