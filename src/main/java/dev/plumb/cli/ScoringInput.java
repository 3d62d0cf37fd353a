package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableUse;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.TablePredictor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * The operands MODEL and DATA of {@code plumb evaluate}, {@code predict} and {@code importance}, and their common options.
 *
 * @param precision the value of --precision
 */
record ScoringInput(TrainedModel model, Path data, Table table, Optional<Precision> precision) {
  /** The default of --precision, for help pages. */
  static final String DEFAULT_PRECISION = "the model's, or fp32 where the device does not support it; fp64 on the reference";

  /** Returns the common options, after those for the command's outputs. */
  static Options options(Option... outputs) {
    List<Option> options = new ArrayList<>(List.of(outputs));
    options.addAll(List.of(Flags.HEADER, Flags.DELIMITER, Flags.NA_VALUES, Flags.LABELS, Flags.DEVICE, Flags.NO_GRAPH,
        Flags.THREADS, Flags.precision(DEFAULT_PRECISION)));
    return Flags.options(options.toArray(Option[]::new));
  }

  /**
   * Checks the files of the command, then reads the model and the data.
   *
   * @param withTargets whether the data must have the target columns
   * @param outputs the options for the command's outputs
   */
  static ScoringInput read(Arguments arguments, boolean withTargets, Option... outputs) {
    Optional<Precision> precision = precision(arguments);
    List<Path> operands = arguments.operandPaths("MODEL", "DATA");
    Path data = operands.get(1);
    new CommandFiles(arguments).readsModel(operands.get(0)).readsData(data).writes(outputs).check();
    TrainedModel model = ModelOperand.read(operands.get(0));
    ReadOptions options = DataOptions.of(arguments, model.encoding());
    Table table = DataOptions.read(data, withTargets ? options.withUse(TableUse.encoded(model.precision()))
        : options.withoutTargets().withUse(TableUse.IN_PIECES), System.in);
    return new ScoringInput(model, data, table, precision);
  }

  /** Returns the value of --precision. */
  static Optional<Precision> precision(Arguments arguments) {
    return arguments.has(Flags.PRECISION)
        ? Optional.of(arguments.parsed(Flags.PRECISION, "", Precision::of)) : Optional.empty();
  }

  /**
   * Opens the model on a device, in the precision of the option, otherwise that of the model if the device supports it.
   *
   * @param onNote receives a line if the device does not
   */
  TablePredictor predictor(Backends.Selection device, Consumer<String> onNote) {
    precision.ifPresent(chosen -> DeviceChoice.requirePrecision(device, chosen));
    Precision used = precision.orElseGet(() -> TablePredictor.precision(device.backend(), model));
    if (precision.isEmpty() && used != model.precision() && !DeviceChoice.isReference(device)) {
      onNote.accept("the model was trained in " + model.precision().key() + ", which this device does not support; it computes in "
          + used.key());
    }
    return new TablePredictor(device.backend(), model, used);
  }

  /** Returns what the supplier returns; its error message gets the name of the data file in front. */
  <T> T atData(Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (InvalidInputException e) {
      throw e.at(data.toString());
    }
  }
}
