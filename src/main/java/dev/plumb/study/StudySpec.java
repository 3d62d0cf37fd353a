package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.List;

/**
 * The configuration of a study: several networks, trained in the same way on the notebook's data and compared.
 *
 * @param samples rows of the data
 * @param seed the seed of the one stream for the data, then network by network the initial weights and the batch orders; also the
 *     seed of dropout, instead of that of the training
 * @param shuffle whether batches are drawn again every epoch; ignored when all rows are one batch
 * @param lossAtEpochs the epochs, from 1, whose loss is reported in addition to the final one
 */
public record StudySpec(
    String name,
    int samples,
    long seed,
    Initializer initializer,
    TrainingSpec training,
    boolean shuffle,
    List<Integer> lossAtEpochs,
    List<StudyNetwork> networks) {

  /** The epochs whose loss the notebook prints. */
  static final int NOTEBOOK_LOSS_EPOCH = 200;

  /** Maximum number of rows: more are almost certainly a typo, since the data has three columns. */
  private static final int MAX_SAMPLES = 100_000_000;

  public StudySpec {
    requireSamples(samples);
    requireSeed(seed);
    training.requireFits(samples);
    for (int epoch : lossAtEpochs) {
      if (epoch < 1 || epoch > training.epochs()) {
        throw new InvalidInputException("lossAtEpochs " + epoch + " must lie between 1 and the " + training.epochs()
            + " epochs of the training");
      }
    }
    if (networks.isEmpty()) {
      throw new InvalidInputException("networks is empty; at least one is needed");
    }
    if (training.dropout().isPresent()) {
      training = training.withDropout(new Dropout(training.dropout().get().probability(), seed));
    }
    lossAtEpochs = lossAtEpochs.stream().distinct().sorted().toList();
    networks = List.copyOf(networks);
  }

  /** Returns the five networks of the notebook. */
  public static StudySpec notebook() {
    return new StudySpec(
        "notebook",
        400,
        42,
        Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1000),
        true,
        List.of(NOTEBOOK_LOSS_EPOCH),
        List.of(
            new StudyNetwork("Model A - Shallow", NetworkSpec.of(Activation.RELU, 3, 4, 1)),
            new StudyNetwork("Model B - Medium", NetworkSpec.of(Activation.RELU, 3, 6, 6, 1)),
            new StudyNetwork("Model C - Deep", NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 1)),
            new StudyNetwork(
                "Model D - Very Deep (ReLU)", NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1)),
            new StudyNetwork(
                "Model D - Very Deep (Sigmoid)", NetworkSpec.of(Activation.SIGMOID, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1))));
  }

  public StudySpec withSeed(long other) {
    return new StudySpec(name, samples, other, initializer, training, shuffle, lossAtEpochs, networks);
  }

  public StudySpec withPrecision(Precision precision) {
    return new StudySpec(
        name, samples, seed, initializer, training.withPrecision(precision), shuffle, lossAtEpochs, networks);
  }

  /** @throws InvalidInputException unless there is at least one row and no more than the maximum */
  static void requireSamples(int samples) {
    if (samples < 1 || samples > MAX_SAMPLES) {
      throw new InvalidInputException("samples " + samples + " must lie between 1 and " + MAX_SAMPLES);
    }
  }

  /** @throws InvalidInputException unless NumPy accepts the seed */
  public static void requireSeed(long seed) {
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
  }
}
