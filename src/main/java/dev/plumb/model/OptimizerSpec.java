package dev.plumb.model;

/**
 * How gradients become updates: names and constants alone, the formulas (PyTorch's) stand in every backend. Defaults are
 * PyTorch's too. The learning rate is not part of it: it varies by step and by network.
 */
public sealed interface OptimizerSpec {
  /** The closed set, for a switch that the compiler checks. */
  enum Kind implements NamedEnum {
    SGD,
    ADAM,
    ADAMW,
    RMSPROP;

    /** @throws InvalidInputException when there is no optimizer of that name; the message lists all */
    public static Kind of(String name) {
      return NamedEnum.parse(Kind.class, "optimizer", name);
    }
  }

  Kind kind();

  /** Added to the gradient times the parameter, weights and biases alike; decoupled from the gradient for adamw. */
  double weightDecay();

  /** The same with another weight decay. */
  OptimizerSpec withWeightDecay(double decay);

  /** Refuses constants that become infinite or 0 in a precision. */
  void requireInRange(Precision precision);

  /** Whether it keeps a running mean of gradients (sgd's momentum buffer, adam's exp_avg). */
  boolean usesFirstMoment();

  /** Whether it keeps a running mean of squared gradients (adam's exp_avg_sq, rmsprop's square_avg). */
  boolean usesSecondMoment();

  /** Plain gradient descent, with momentum and Nesterov's variant of it where momentum is above 0. */
  record Sgd(double momentum, boolean nesterov, double weightDecay) implements OptimizerSpec {
    public static final Sgd DEFAULT = new Sgd(0, false, 0);

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
   * Adam.
   *
   * @param decoupled false for adam, whose weight decay is L2 in the gradient; true for adamw, which shrinks the parameters
   *     themselves
   */
  record Adam(double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled) implements OptimizerSpec {
    public static final Adam DEFAULT = new Adam(0.9, 0.999, 1e-8, 0, false);
    public static final Adam DEFAULT_W = new Adam(0.9, 0.999, 1e-8, 0.01, true);

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

  /** RMSprop, neither centred nor with momentum. */
  record RmsProp(double alpha, double epsilon, double weightDecay) implements OptimizerSpec {
    public static final RmsProp DEFAULT = new RmsProp(0.99, 1e-8, 0);

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

  /** The optimizer of a kind with all its defaults. */
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
