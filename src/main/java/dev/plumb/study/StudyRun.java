package dev.plumb.study;

import dev.plumb.model.NetworkSpec;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SortedMap;

/**
 * The result of one network.
 *
 * @param seed the seed of the stream of its weights
 * @param lossAtEpoch the loss over all rows before that epoch's updates, for the epochs of the study and further requested ones;
 *     NaN for epochs after the end of training
 * @param finalLoss the loss over all rows after the last update
 * @param gradNormPerLayer Frobenius norms of dW in the last step, output layer included
 * @param trainSeconds its share of the wall time, equal among replicas trained together
 * @param divergedAtEpoch the first epoch in which something was not finite; empty when all went well
 */
public record StudyRun(
    String name,
    NetworkSpec network,
    long seed,
    SortedMap<Integer, Double> lossAtEpoch,
    double finalLoss,
    double[] gradNormPerLayer,
    double trainSeconds,
    OptionalInt divergedAtEpoch) {

  public double gradNormFirst() {
    return gradNormPerLayer[0];
  }

  /** Returns the gradient norm of the last hidden layer, as in the notebook; empty for a network without one. */
  public OptionalDouble gradNormLast() {
    return gradNormPerLayer.length < 2
        ? OptionalDouble.empty()
        : OptionalDouble.of(gradNormPerLayer[gradNormPerLayer.length - 2]);
  }
}
