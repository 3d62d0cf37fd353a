package dev.plumb.train;

import dev.plumb.backend.Backend;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.TableUse;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The files and configuration of a training run.
 *
 * @param data the training data
 * @param read the options for reading the training data
 * @param test the test data, which is evaluated after training
 * @param from the model whose parameters the training starts from
 * @param name the name of the run folder, without its number
 * @param runs the folder of all runs
 */
public record TrainingRequest(
    Path data, ReadOptions read, Optional<Path> test, Optional<WarmStart> from, TrainConfig config, String name, Path runs) {

  public TrainingRequest withConfig(TrainConfig other) {
    return new TrainingRequest(data, read, test, from, other, name, runs);
  }

  /** Returns the files that the run reads. */
  public List<DataFile> files() {
    List<DataFile> files = new ArrayList<>();
    files.add(DataFile.of("data", data));
    read.labels().or(() -> TableReader.labelsNextTo(data)).ifPresent(file -> files.add(DataFile.of("labels", file)));
    test.ifPresent(file -> files.add(DataFile.of("test", file)));
    from.flatMap(WarmStart::file).ifPresent(file -> files.add(DataFile.of("from", file)));
    return files;
  }

  /** Prepared training data, and the estimate by the cross-validation that chose the configuration, if there was one. */
  record Prepared(PreparedData data, Optional<FoldEstimate> estimate) {}

  /** Reads and prepares the training data for a backend. */
  Prepared prepare(Backend backend, ConfigSelector selector) {
    Precision held = backend.dataPrecision(config.precision());
    ReadOptions options = from.map(model -> model.readOptions(read)).orElse(read);
    Table table = TableReader.read(data, options.withUse(TableUse.released(held)));
    requireOthers(table, held, selector);
    try {
      ConfigSelector.Selection selection = selector.select(table, config);
      return new Prepared(PreparedData.ofReleased(table, selection.config(), from, held), selection.estimate());
    } catch (InvalidInputException e) {
      throw e.at(data.toString());
    }
  }

  /** Checks the test data and the folder of the runs before a choice that takes long. */
  private void requireOthers(Table table, Precision held, ConfigSelector selector) {
    DataView view;
    try {
      if (!selector.trains(table, config)) {
        return;
      }
      // The model's encoding will be the same, because it is fitted on all rows.
      view = PreparedData.of(table, config.with(changes -> changes.validation(0)), held).view();
    } catch (InvalidInputException e) {
      throw e.at(data.toString());
    }
    readTest(view, note -> {});
    RunFolder.requireFolder(runs);
  }

  /**
   * Reads the test data in the same format as the training data, without the rows that are dropped because of missing values.
   *
   * @param view the view of the training data
   * @param onNote consumer of a note about dropped rows
   */
  Optional<Table> readTest(DataView view, Consumer<String> onNote) {
    return test.map(file -> {
      Table table = TableReader.read(file, view.encoding().readOptions(ReadOptions.DEFAULT.withFormat(read.format()))
          .withUse(TableUse.encoded(view.held())));
      try {
        Table usable = view.columns().withCategorical().handleMissing(table, config.weights());
        view.encoding().requireEncodable(usable, view.loss(), config.precision());
        if (usable.rows() < table.rows()) {
          onNote.accept("test rows: " + (table.rows() - usable.rows()) + " of " + table.rows()
              + " dropped because of " + config.droppedBecauseOf());
        }
        return usable;
      } catch (InvalidInputException e) {
        throw e.at(file.toString());
      }
    });
  }
}
