package dev.plumb.store;

import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Table;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Models of random weights for the tests, and what the reference makes of a table with them. */
final class Models {
  private Models() {}

  /** Of columns whose means and scales differ by orders of magnitude. */
  static List<FeatureColumn> numericColumns(int count) {
    List<FeatureColumn> columns = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      columns.add(new FeatureColumn.Numeric("x" + i, 2000 * i - 3, Math.pow(10, i % 5 - 2), OptionalDouble.empty(), false));
    }
    return columns;
  }

  /** Two of words, one of numbers between them; the last two fill in what is missing. */
  static List<FeatureColumn> mixedColumns() {
    return List.of(
        new FeatureColumn.Categorical("colour", List.of("blue", "größer", "red"), Optional.empty(), false),
        new FeatureColumn.Numeric("label", 1.6e9, 3, OptionalDouble.of(1.6e9 + 2), false),
        new FeatureColumn.Categorical("", List.of("no", "yes"), Optional.of("yes"), false));
  }

  static TargetEncoding classes(int count) {
    return new TargetEncoding.Classes("kind", IntStream.range(0, count).mapToObj(i -> "class, \"" + i + "\"").toList());
  }

  static TargetEncoding numbers(int count) {
    double[] mean = IntStream.range(0, count).mapToDouble(i -> 100 - 70.5 * i).toArray();
    double[] scale = IntStream.range(0, count).mapToDouble(i -> 0.25 + 3 * i).toArray();
    return new TargetEncoding.Numbers(IntStream.range(0, count).mapToObj(i -> "y" + i).toList(), mean, scale);
  }

  /** A network of the given hidden widths; its weights are as wide as keeps the layers' values near 1. */
  static TrainedModel model(Activation activation, Loss loss, Precision precision, TableEncoding encoding, int... hidden) {
    return model(activation, Normalization.NONE, false, loss, precision, encoding, hidden);
  }

  /** A network of the given hidden widths with a normalization, or residual connections where a width is that below it. */
  static TrainedModel model(Activation activation, Normalization normalization, boolean residual, Loss loss, Precision precision,
      TableEncoding encoding, int... hidden) {
    List<Integer> widths = new ArrayList<>(List.of(encoding.inputs()));
    Arrays.stream(hidden).forEach(widths::add);
    widths.add(encoding.outputs(loss));
    NetworkSpec network = new NetworkSpec(widths, activation, normalization, residual);
    NumpyRandom random = new NumpyRandom(7);
    double[] parameters = new double[ParameterLayout.of(network).size()];
    for (ParameterLayout.Slice slice : ParameterLayout.of(network).slices()) {
      double width = slice.isBias() ? 0.5 : Math.sqrt(2.0 / slice.columns());
      for (int i = 0; i < slice.size(); i++) {
        double drawn = width * random.standardNormal();
        double value = slice.kind() == ParameterLayout.Kind.RUNNING_VARIANCE ? drawn * drawn : drawn;
        parameters[slice.offset() + i] = precision == Precision.FP64 ? value : (float) value;
      }
    }
    Map<String, String> manifest = Map.of("seed", "7", "command", "plumb train \"größer\".csv\n--seed 7");
    return new TrainedModel(network, loss, precision, encoding, parameters, new TreeMap<>(manifest));
  }

  static TrainedModel small(Precision precision) {
    return model(Activation.TANH, Loss.CROSS_ENTROPY, precision, new TableEncoding(numericColumns(2), classes(2)), 3);
  }

  /** What the reference's outputs mean: [rows x resultColumns]. */
  static double[] results(TrainedModel model, Table table) {
    double[] outputs = new double[table.rows() * model.network().outputs()];
    TrainingSpec training = TrainingSpec.of(model.loss(), new OptimizerSpec.Sgd(0, false, 0), 0.1, 1);
    try (ReferenceBackend backend = new ReferenceBackend();
        TrainingSession session = backend.open(model.network(), training, 1)) {
      session.write(Slot.PARAMETERS, 0, model.parameters());
      session.predict(0, model.encoding().encodeFeatures(table), outputs);
    }
    return model.results(outputs);
  }
}
