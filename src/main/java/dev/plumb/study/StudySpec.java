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
 * Several networks, trained alike on the notebook's data and compared.
 *
 * @param samples rows of the data
 * @param seed of the one stream that gives the data, then network by network the first weights and the batch orders; and of
 *     dropout, whatever seed the training has for it
 * @param shuffle whether batches are drawn anew every epoch; without meaning when all rows are one batch
 * @param lossAtEpochs the epochs, from 1, whose loss is reported besides the final one
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

  /** Where the notebook looks on the way. */
  static final int NOTEBOOK_LOSS_EPOCH = 200;

  /** Rows beyond this are a slip of the keyboard: the data has three columns. */
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

  /** The five trainings of the notebook. */
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

  /** @throws InvalidInputException unless there is a row and the table is of a sensible size */
  static void requireSamples(int samples) {
    if (samples < 1 || samples > MAX_SAMPLES) {
      throw new InvalidInputException("samples " + samples + " must lie between 1 and " + MAX_SAMPLES);
    }
  }

  /** @throws InvalidInputException unless NumPy would take the seed */
  public static void requireSeed(long seed) {
    if (seed < 0 || seed > NumpyRandom.MAX_SEED) {
      throw new InvalidInputException("seed " + seed + " must lie between 0 and " + NumpyRandom.MAX_SEED);
    }
  }
}
