package dev.plumb.store;

import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Trained network with everything that predictions from a table need.
 *
 * @param network architecture
 * @param loss of the training, which determines the meaning of the outputs: see {@link #results}
 * @param precision of the training; parameters are stored in double for fp64, in single for all others
 * @param encoding fitted to the training rows, with the network's inputs and outputs
 * @param parameters [ParameterLayout.size()], all finite; not copied
 * @param manifest origin of the model: versions, data, seed, configuration
 */
public record TrainedModel(NetworkSpec network, Loss loss, Precision precision, TableEncoding encoding, double[] parameters,
    SortedMap<String, String> manifest) {
  /**
   * Checks that all parts match.
   *
   * @param network architecture
   * @param loss of the training, which determines the meaning of the outputs: see {@link #results}
   * @param precision of the training; parameters are stored in double for fp64, in single for all others
   * @param encoding fitted to the training rows, with the network's inputs and outputs
   * @param parameters [ParameterLayout.size()], all finite; not copied
   * @param manifest origin of the model: versions, data, seed, configuration
   * @throws InvalidInputException when they do not, a parameter is not finite, or a running variance is negative
   */
  public TrainedModel {
    manifest = Collections.unmodifiableSortedMap(new TreeMap<>(manifest));
    if (network.inputs() != encoding.inputs()) {
      throw new InvalidInputException("the network has " + network.inputs() + " inputs, but its columns are encoded as "
          + encoding.inputs());
    }
    if (network.outputs() != encoding.outputs(loss)) {
      throw new InvalidInputException("the network has " + network.outputs() + " outputs, but its targets are encoded as "
          + encoding.outputs(loss));
    }
    if (loss == Loss.CROSS_ENTROPY && encoding.task() != Task.CLASSIFICATION) {
      throw new InvalidInputException("loss " + loss.key() + " is for classes, but the targets are numbers");
    }
    if (!loss.isClassification() && encoding.task() == Task.CLASSIFICATION) {
      throw new InvalidInputException("loss " + loss.key() + " is for numbers, but the targets are classes");
    }
    requireFinite(network, precision, parameters);
  }

  /** Returns the type in which parameters are stored and exported networks compute. */
  Tensor.Type type() {
    return precision == Precision.FP64 ? Tensor.Type.F64 : Tensor.Type.F32;
  }

  /**
   * Returns the classes.
   *
   * @return empty for a regression
   */
  public List<String> classNames() {
    return encoding.target() instanceof TargetEncoding.Classes classes ? classes.classNames() : List.of();
  }

  /**
   * Returns the number of columns of {@link #results}.
   *
   * @return number of classes or targets
   */
  public int resultColumns() {
    return encoding.outputs();
  }

  /**
   * Converts the network's outputs to results. For classes, results are probabilities: with cross_entropy the softmax, with
   * binary_cross_entropy the sigmoid of each output, where a single output p gives 1 - p and p for two classes. (With more than
   * two classes the sigmoids are independent, and their sum need not be 1.) For numbers, results are predictions in the units of
   * the targets.
   *
   * @param outputs [rows x network.outputs()] row-major; not changed
   * @return [rows x resultColumns()] row-major
   */
  public double[] results(double[] outputs) {
    double[] activated = ClassProbabilities.activated(loss, network.outputs(), outputs);
    if (encoding.task() == Task.REGRESSION) {
      return encoding.decodeOutputs(activated);
    }
    return network.outputs() == encoding.outputs() ? activated : ClassProbabilities.ofTwo(activated);
  }

  /**
   * Returns the index of the most probable class in each row; the first one of several.
   *
   * @param results of {@link #results}, [rows x resultColumns()] row-major
   * @return [rows]
   */
  public int[] labels(double[] results) {
    return ClassProbabilities.labels(results, resultColumns());
  }

  private static void requireFinite(NetworkSpec network, Precision precision, double[] parameters) {
    ParameterLayout layout = ParameterLayout.of(network);
    if (parameters.length != layout.size()) {
      throw new InvalidInputException(parameters.length + " parameters for a network of " + layout.size());
    }
    for (ParameterLayout.Slice slice : layout.slices()) {
      for (int i = 0; i < slice.size(); i++) {
        double value = parameters[slice.offset() + i];
        boolean finite = precision == Precision.FP64 ? Double.isFinite(value) : Float.isFinite((float) value);
        if (!finite) {
          throw new InvalidInputException(slice.name() + slice.place(i) + " is " + value
              + "; the training diverged, and the model cannot predict");
        }
        if (slice.kind() == ParameterLayout.Kind.RUNNING_VARIANCE && value < 0) {
          throw new InvalidInputException(slice.name() + slice.place(i) + " is " + value + "; a variance must be at least 0");
        }
      }
    }
  }
}
