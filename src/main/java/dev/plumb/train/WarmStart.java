package dev.plumb.train;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.store.TrainedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A trained model whose parameters a training starts from. The training has the model's network and features, which are encoded as
 * they were for the model: its parameters would mean nothing for other means, scales and categories. If the targets, the
 * classes or, with classes, the loss differ, the output layer starts from the initializer; all other parameters are the model's.
 *
 * @param file the file of the model, if it was read from one
 */
public record WarmStart(TrainedModel model, Optional<Path> file) {
  /** Returns options for reading a table whose features have the types that the model expects; targets are inferred. */
  ReadOptions readOptions(ReadOptions base) {
    return new TableEncoding(model.encoding().features(), new TargetEncoding.Numbers(List.of(), new double[0], new double[0]),
        model.encoding().naValues(), model.encoding().header()).readOptions(base);
  }

  /**
   * Returns a configuration with the network and the columns of the model.
   *
   * @throws InvalidInputException when the configuration asks for other ones
   */
  public TrainConfig configured(TrainConfig config) {
    NetworkSpec network = model.network();
    List<Integer> hidden = network.widths().subList(1, network.widths().size() - 1);
    requireSame("layers", config.hidden(), TrainConfig.DEFAULT.hidden(), hidden);
    requireSame("activation", config.activation().key(), TrainConfig.DEFAULT.activation().key(), network.activation().key());
    requireSame("normalization", config.normalization().key(), TrainConfig.DEFAULT.normalization().key(),
        network.normalization().key());
    requireSame("residual", config.residual(), TrainConfig.DEFAULT.residual(), network.residual());
    return config.with(changes -> {
      changes.hidden(hidden).activation(network.activation()).normalization(network.normalization()).residual(network.residual())
          .columns(columns(config.columns()));
      if (config.loss().isEmpty() && changes.columns.task().equals(Optional.of(model.encoding().task()))) {
        changes.loss(model.loss());
      }
    });
  }

  private static void requireSame(String key, Object configured, Object defaultValue, Object ofModel) {
    if (!configured.equals(defaultValue) && !configured.equals(ofModel)) {
      throw new InvalidInputException(key + ": " + configured + " is not that of the model to start from, " + ofModel + "; omit it");
    }
  }

  private EncodingOptions columns(EncodingOptions columns) {
    List<String> names = model.encoding().features().stream().map(FeatureColumn::name).toList();
    if (!columns.features().isEmpty() && !Set.copyOf(columns.features()).equals(Set.copyOf(names))) {
      throw new InvalidInputException("features: " + new TreeSet<>(columns.features()) + " are not those of the model to start from, "
          + new TreeSet<>(names) + "; omit them");
    }
    for (String name : names) {
      if (columns.targets().contains(name) || columns.excluded().contains(name)) {
        throw new InvalidInputException("column \"" + name + "\" is a feature of the model to start from, so it cannot be "
            + (columns.targets().contains(name) ? "the target" : "excluded"));
      }
    }
    List<String> targets = columns.targets().isEmpty() ? model.encoding().target().names() : columns.targets();
    List<String> categorical = model.encoding().features().stream().filter(FeatureColumn.Categorical.class::isInstance)
        .map(FeatureColumn::name).toList();
    Optional<Task> task = columns.task().isPresent() || !targets.equals(model.encoding().target().names()) ? columns.task()
        : Optional.of(model.encoding().task());
    return new EncodingOptions(targets, names, columns.excluded(), categorical, task, columns.standardize(), columns.missing());
  }

  /**
   * Returns the encoding of a training: the model's for the features and, if the network's outputs mean the same, for the targets.
   *
   * @param fitted the encoding fitted to the training rows
   */
  TableEncoding encoding(TableEncoding fitted) {
    TargetEncoding target = fitted.target();
    boolean same = target instanceof TargetEncoding.Numbers && model.encoding().target() instanceof TargetEncoding.Numbers
        && target.names().equals(model.encoding().target().names());
    return new TableEncoding(model.encoding().features(), same ? model.encoding().target() : target, fitted.naValues(), fitted.header());
  }

  /** Returns whether the output layer starts from the model's, and not from the initializer. */
  public boolean keepsOutputs(TableEncoding encoding, Loss loss) {
    return difference(encoding, loss).isEmpty();
  }

  /**
   * Returns why the output layer is new: "classes", "targets" or "losses".
   *
   * @throws java.util.NoSuchElementException when it is not new
   */
  public String outputDifference(TableEncoding encoding, Loss loss) {
    return difference(encoding, loss).orElseThrow();
  }

  private Optional<String> difference(TableEncoding encoding, Loss loss) {
    if (!(encoding.target() instanceof TargetEncoding.Classes classes)) {
      return encoding.target().equals(model.encoding().target()) ? Optional.empty() : Optional.of("targets");
    }
    return !classes.classNames().equals(model.classNames()) ? Optional.of(model.classNames().isEmpty() ? "targets" : "classes")
        : loss == model.loss() ? Optional.empty() : Optional.of("losses");
  }

  /**
   * Returns the initial parameters.
   *
   * @param network with the model's hidden layers
   * @param drawn parameters by the initializer, [ParameterLayout.size()]; changed
   */
  double[] parameters(NetworkSpec network, TableEncoding encoding, Loss loss, double[] drawn) {
    ParameterLayout layout = ParameterLayout.of(network);
    ParameterLayout ofModel = ParameterLayout.of(model.network());
    int layers = network.layerCount() - (keepsOutputs(encoding, loss) ? 0 : 1);
    for (int layer = 0; layer < layers; layer++) {
      List<ParameterLayout.Slice> from = ofModel.slices(layer);
      List<ParameterLayout.Slice> to = layout.slices(layer);
      for (int i = 0; i < to.size(); i++) {
        System.arraycopy(model.parameters(), from.get(i).offset(), drawn, to.get(i).offset(), to.get(i).size());
      }
    }
    return drawn;
  }
}
