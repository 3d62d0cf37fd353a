package dev.plumb.cli;

import dev.plumb.backend.Backend;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.report.RunReport.RowsImportance;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.study.PermutationImportance;
import dev.plumb.train.DataView;
import dev.plumb.train.ImportanceOptions;
import dev.plumb.train.Metric;
import dev.plumb.train.PermutedScoring;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TablePredictor;
import dev.plumb.train.TrainingResult;
import java.util.Optional;
import java.util.function.Consumer;

/** The permutation importance of the columns after a training, on the test rows or otherwise the validation rows. */
final class HeldOutImportance {
  private static final int REPEATS = 5;

  /** Maximum cost as a fraction of the training. */
  private static final double MAX_COST = 0.05;

  /** Time to predict a row as a fraction of the time to train on it; measured on a CPU: 0.2. */
  private static final double PREDICTION_COST = 0.25;

  private HeldOutImportance() {}

  /**
   * Computes the importance if it is cheap or requested.
   *
   * @param requested whether it is computed whatever it costs
   * @param onNote receives the reason why a requested importance is not computed
   */
  static Optional<RowsImportance> of(TrainingResult result, Optional<Table> test, Backend backend, boolean requested,
      Consumer<String> onNote) {
    PreparedData prepared = result.prepared();
    DataView view = prepared.view();
    Optional<Table> rows = test.or(view::validationRows);
    String reason = result.state().bestEpoch() == 0 ? "the run has no model"
        : rows.isEmpty() ? "no rows are held out; use --validation or --test"
        : rows.get().rows() < 2 ? "only 1 row is held out" : "";
    if (!reason.isEmpty()) {
      if (requested) {
        onNote.accept("the report has no importance of the columns: " + reason);
      }
      return Optional.empty();
    }
    if (!requested && (result.state().end().isEmpty() || !isCheap(result, rows.get().rows()))) {
      return Optional.empty();
    }
    TrainedModel model = ModelFile.read(result.folder().model());
    Metric metric = prepared.metric();
    try (TablePredictor predictor = new TablePredictor(backend, model, model.precision())) {
      PermutedScoring scoring = test.isPresent() ? predictor.permuted(metric, test.get(), RowWeights.NONE)
          : predictor.permuted(metric, rows.get(), view.validation().orElseThrow(), null);
      return Optional.of(new RowsImportance(test.isPresent() ? "test" : "validation",
          PermutationImportance.of(scoring, REPEATS, ImportanceOptions.DEFAULT.seed(), scored -> {})));
    } catch (InvalidInputException e) {
      onNote.accept("the report has no importance of the columns: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Estimates from numbers of rows, so that the same training always gives the same report. */
  private static boolean isCheap(TrainingResult result, int rows) {
    DataView view = result.prepared().view();
    double predicted = (double) rows * view.encoding().features().size() * REPEATS;
    double trained = (double) view.training().rows() * result.state().epochs();
    return PREDICTION_COST * predicted <= MAX_COST * trained;
  }
}
