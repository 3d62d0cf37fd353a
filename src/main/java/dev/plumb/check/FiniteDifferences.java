package dev.plumb.check;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.Tolerance;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * A check of a backend's gradients against central differences of its own loss, coordinate by coordinate:
 * (loss(p + h) - loss(p - h)) / 2h. It finds a wrong derivative even if every backend has the same mistake, since it depends only
 * on the loss. In double precision only: the differences are as small as the rounding of single precision.
 *
 * <p>With dropout, the loss is that of the first step: every evaluation drops the same units, so that it can be differentiated.
 *
 * <p>The difference is meaningless if a unit's Z crosses the kink of relu, leaky_relu or elu between the two points, or an output
 * crosses one of mae or huber; such coordinates are skipped and counted. So are those at which the loss bends too much.
 */
public final class FiniteDifferences implements AutoCloseable {
  /** Balances the error of the difference, h²/6 times the third derivative, against rounding, 1e-16·loss/h. */
  private static final double STEP = 1e-5;

  /**
   * Lower limit of the step. The loss bends within the normal step where a normalization divides by a small variance: then smaller
   * steps are tried, with a larger tolerance for rounding, until they no longer change the difference. A coordinate whose difference
   * still changes is skipped.
   */
  private static final double MIN_STEP = 1e-9;

  /** Parameters larger than this get a step in proportion: a fixed step would be lost in rounding. */
  private static final double LARGE = 1000;

  /**
   * Observed: over 50 seeds, all activations and losses and layers of up to 13 units, at the first weights and after ten steps of
   * adam, the largest error of 384,661 coordinates was 0.056 of the bound, all of it rounding (about 6e-11). The
   * margin is for wider and deeper networks, whose losses are longer sums.
   */
  private static final double RELATIVE = 1e-6;
  private static final double ABSOLUTE = 1e-9;

  private static final StepChunk STANDING_STEP = StepChunk.of(1).learningRate(0).recordAll().build();

  private final TrainingSession session;
  private final Tapped taps;
  private final NetworkSpec network;
  private final Loss loss;
  private final Dataset batch;

  /** Creates a check without dropout. */
  public FiniteDifferences(Backend backend, NetworkSpec network, Loss loss, Dataset batch) {
    this(backend, network, loss, Optional.empty(), batch);
  }

  /**
   * @param backend the backend whose gradients are checked
   * @param batch the rows of the loss
   * @throws InvalidInputException when the batch does not fit, or the backend has no taps
   */
  public FiniteDifferences(Backend backend, NetworkSpec network, Loss loss, Optional<Dropout> dropout, Dataset batch) {
    this.network = network;
    this.loss = loss;
    this.batch = batch;
    TrainingSpec standing = TrainingSpec.of(loss, OptimizerSpec.Sgd.DEFAULT, 0, 1);
    session = backend.open(network, dropout.map(standing::withDropout).orElse(standing), 1);
    if (!(session instanceof Tapped tapped)) {
      session.close();
      throw new InvalidInputException("device " + backend.device().kind().key()
          + " does not expose the values inside a step, which this check needs");
    }
    taps = tapped;
    try {
      session.bind(batch);
    } catch (InvalidInputException e) {
      session.close();
      throw e;
    }
  }

  /**
   * Compares all gradients at the given parameters.
   *
   * @param parameters [layout size]
   * @return one entry per tensor in the order of backpropagation, the output layer first
   */
  public List<GradientCheck> at(double[] parameters) {
    double lossHere = lossAt(parameters);
    double[] gradients = new double[parameters.length];
    session.read(Slot.GRADIENTS, 0, gradients);
    BitSet sidesHere = sides();
    Tolerance tolerance = new Tolerance(ABSOLUTE * Math.max(1, Math.abs(lossHere)), RELATIVE);

    List<GradientCheck> checks = new ArrayList<>();
    for (ParameterLayout.Slice slice : session.layout().backwards()) {
      if (slice.kind().isTrained()) {
        checks.add(compare(slice, parameters.clone(), gradients, sidesHere, tolerance));
      }
    }
    return checks;
  }

  private GradientCheck compare(
      ParameterLayout.Slice slice, double[] parameters, double[] gradients, BitSet sidesHere, Tolerance tolerance) {
    int compared = 0;
    int skipped = 0;
    int worst = -1;
    double worstUnits = -1;
    double worstDifference = Double.NaN;
    for (int i = 0; i < slice.size(); i++) {
      int at = slice.offset() + i;
      Difference difference = difference(parameters, at, STEP, sidesHere);
      double units = tolerance.units(gradients[at], difference.value());
      boolean converged = units <= 1;
      for (double step = STEP / 8; !difference.crosses() && !converged && step > MIN_STEP; step /= 8) {
        // Either the gradient is wrong, or the loss is not a parabola between the points, which a smaller step tells.
        Difference smaller = difference(parameters, at, step, sidesHere);
        Tolerance rounding = new Tolerance(tolerance.absolute() * STEP / step, RELATIVE);
        units = rounding.units(gradients[at], smaller.value());
        converged = units <= 1 || rounding.units(difference.value(), smaller.value()) <= 1;
        difference = smaller;
      }
      if (difference.crosses() || !converged && Double.isFinite(difference.value())) {
        skipped++;
        continue;
      }
      compared++;
      if (units > worstUnits) {
        worst = i;
        worstUnits = units;
        worstDifference = difference.value();
      }
    }
    double worstGradient = worst < 0 ? Double.NaN : gradients[slice.offset() + worst];
    return new GradientCheck(slice, compared, skipped, worst, worstGradient, worstDifference, worstUnits);
  }

  /**
   * A central difference.
   *
   * @param crosses whether a kink is between its two points
   */
  private record Difference(double value, boolean crosses) {}

  private Difference difference(double[] parameters, int at, double relativeStep, BitSet sidesHere) {
    double kept = parameters[at];
    double step = relativeStep * Math.max(1, Math.abs(kept) / LARGE);
    parameters[at] = kept + step;
    double above = parameters[at];
    double lossAbove = lossAt(parameters);
    boolean crosses = !sides().equals(sidesHere);
    parameters[at] = kept - step;
    double below = parameters[at];
    double lossBelow = lossAt(parameters);
    crosses |= !sides().equals(sidesHere);
    parameters[at] = kept;
    return new Difference((lossAbove - lossBelow) / (above - below), crosses);
  }

  /** Runs a step that leaves the parameters as they are, and returns its loss. */
  private double lossAt(double[] parameters) {
    session.write(Slot.PARAMETERS, 0, parameters);
    session.stepsTaken(0);
    session.run(STANDING_STEP);
    return session.sync().loss()[0][0];
  }

  /** Returns the side of its kinks of each input of an activation and each output in the last step; empty if there are no kinks. */
  private BitSet sides() {
    BitSet sides = new BitSet();
    int next = 0;
    Activation activation = network.activation();
    if (activation == Activation.RELU || activation == Activation.LEAKY_RELU || activation == Activation.ELU) {
      for (int layer = 0; layer < network.layerCount() - 1; layer++) {
        boolean normalized = network.layer(layer).normalization() != Normalization.NONE;
        for (double z : tap(normalized ? Tap.NORMALIZED : Tap.PRE, layer)) {
          sides.set(next++, z > 0);
        }
      }
    }
    if (loss == Loss.MAE || loss == Loss.HUBER) {
      double[] outputs = tap(Tap.PRE, network.layerCount() - 1);
      for (int i = 0; i < outputs.length; i++) {
        double difference = outputs[i] - batch.target(i / network.outputs(), i % network.outputs());
        sides.set(next++, loss == Loss.MAE ? difference > 0 : Math.abs(difference) <= 1);
      }
    }
    return sides;
  }

  private double[] tap(Tap where, int layer) {
    double[] values = new double[batch.rows() * network.layer(layer).out()];
    taps.tap(where, layer, 0, values);
    return values;
  }

  @Override
  public void close() {
    session.close();
  }
}
