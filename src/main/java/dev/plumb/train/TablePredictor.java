package dev.plumb.train;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.store.TrainedModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/** Predictions and scores of tables by a backend that the caller has opened. Belongs to the thread that makes it. */
public final class TablePredictor implements AutoCloseable {
  /** Approximate number of inputs and outputs of a piece. */
  private static final int PIECE_VALUES = 1 << 20;

  /**
   * A multiple of the rows that each backend computes in one block, so that results do not depend on the boundaries of pieces.
   */
  private static final int PIECE_ROWS = 1024;

  /** The maximum number of probabilities that scoring keeps after a first pass over the rows: 32 MiB. */
  private static final int MAX_KEPT_VALUES = 1 << 22;

  /** The maximum length of an array. */
  private static final int MAX_RESULTS = Integer.MAX_VALUE - 8;

  private final TrainedModel model;
  private final Precision precision;
  /** In which features are held for the session. */
  private final Precision held;
  private final Backend backend;
  /** Predicts tables; empty if the other session does; null until rows are predicted. */
  private Optional<InferenceSession> separate;
  /** Computes scores, as in a training; null until it is needed, except on a GPU. */
  private TrainingSession session;

  /**
   * Returns the precision for predictions of a model: the one that it was trained in, if the device supports it, otherwise the one
   * in which its parameters are stored; FP64 on the reference.
   */
  public static Precision precision(Backend backend, TrainedModel model) {
    if (backend.device().kind() == DeviceInfo.Kind.REFERENCE) {
      return Precision.FP64;
    }
    boolean supported = backend.refusal(model.network(), inference(model, model.precision()), 1).isEmpty();
    return supported ? model.precision() : model.precision().storage();
  }

  /** Sessions are made for training; inference uses only the loss and the precision of the specification. */
  private static TrainingSpec inference(TrainedModel model, Precision precision) {
    return TrainingSpec.of(model.loss(), OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(precision);
  }

  /**
   * Prepares a model.
   *
   * @param backend to be closed by the caller, after this
   * @throws InvalidInputException when the device does not compute in that precision
   * @throws dev.plumb.backend.DeviceUnavailableException when the device is a GPU without enough memory, or lost
   */
  public TablePredictor(Backend backend, TrainedModel model, Precision precision) {
    this.backend = backend;
    this.model = model;
    this.precision = precision;
    held = backend.dataPrecision(precision);
    backend.refusal(model.network(), inference(model, precision), 1).ifPresent(refusal -> {
      throw refusal.toException();
    });
    if (backend.device().kind() == DeviceInfo.Kind.CUDA) {
      // A GPU without enough memory is reported before a caller writes its first result.
      session();
    }
  }

  private Optional<InferenceSession> separate() {
    if (separate == null) {
      separate = backend.separateInference(model.network(), precision, model.parameters());
    }
    return separate;
  }

  private TrainingSession session() {
    if (session == null) {
      TrainingSession opened = backend.open(model.network(), inference(model, precision), 1);
      try {
        opened.write(Slot.PARAMETERS, 0, model.parameters());
      } catch (RuntimeException e) {
        opened.close();
        throw e;
      }
      session = opened;
    }
    return session;
  }

  /**
   * Predicts all rows of a table; predicting its {@link #pieces} one by one takes less memory. Rows for which a value overflows
   * within the network are not {@linkplain Predictions#isFinite finite}. On a CPU, the bits of a row do not depend on the other rows.
   *
   * @throws InvalidInputException when the table lacks what the model was trained with, a value is beyond the range of the
   *     precision, or one array has no room for the results
   */
  public Predictions predict(Table table) {
    return separate().isEmpty() ? predict(model, table, precision, held, (rows, outputs) -> session().predict(0, rows, outputs))
        : predict(model, table, precision, Precision.FP64,
            (rows, outputs) -> separate().get().outputs(rows.featureRows(0, rows.rows()), rows.rows(), outputs));
  }

  /**
   * Predicts all rows of a table, piece by piece.
   *
   * @param held the precision in which features are held
   * @param compute writes a network's outputs [rows x outputs] for encoded rows into an array
   */
  static Predictions predict(TrainedModel model, Table table, Precision precision, Precision held,
      BiConsumer<Dataset, double[]> compute) {
    int width = model.network().outputs();
    if ((long) table.rows() * Math.max(width, model.resultColumns()) > MAX_RESULTS) {
      throw new InvalidInputException(table.rows() + " rows of " + model.resultColumns()
          + " results are more than one array holds; predict fewer rows at once");
    }
    double[] outputs = new double[table.rows() * width];
    int first = 0;
    for (Table piece : pieces(model, table)) {
      double[] pieceOutputs = new double[piece.rows() * width];
      compute.accept(model.encoding().encodeFeatures(piece, precision, held), pieceOutputs);
      System.arraycopy(pieceOutputs, 0, outputs, first * width, pieceOutputs.length);
      first += piece.rows();
    }
    return new Predictions(model, outputs);
  }

  /** Cuts a table into pieces of consecutive rows that take little memory to predict. Results are those of the whole table. */
  public List<Table> pieces(Table table) {
    return pieces(model, table);
  }

  private static int pieceRows(TrainedModel model) {
    int values = PIECE_VALUES / (model.network().inputs() + model.network().outputs());
    return Math.max(1, values / PIECE_ROWS) * PIECE_ROWS;
  }

  private static List<Table> pieces(TrainedModel model, Table table) {
    int pieceRows = pieceRows(model);
    if (table.rows() <= pieceRows) {
      return List.of(table);
    }
    List<Table> pieces = new ArrayList<>();
    for (int first = 0; first < table.rows(); first += pieceRows) {
      pieces.add(table.rows(IntStream.range(first, Math.min(table.rows(), first + pieceRows)).toArray()));
    }
    return pieces;
  }

  /**
   * Checks that every row can be encoded, before the first piece is predicted.
   *
   * @throws InvalidInputException when the table lacks what the model was trained with, or a value is beyond the range of the
   *     precision
   */
  public void requirePredictable(Table table) {
    pieces(table).forEach(piece -> model.encoding().encodeFeatures(piece, precision, held));
  }

  /**
   * Evaluates the model on labeled rows.
   *
   * @throws InvalidInputException as for {@link #predict}, when a target is missing, and when a row cannot be computed
   */
  public Scores score(Table table) {
    return score(table, model.encoding().encode(table, model.loss(), precision, held), null);
  }

  /**
   * Evaluates the model on labeled rows with weights. The column's weights count in the loss and in the metrics, those of classes
   * only in the loss; balanced ones are those of these rows.
   *
   * @throws InvalidInputException as for {@link #score(Table)}, and when a weight cannot be used
   */
  public Scores score(Table table, RowWeights weights) {
    return score(table, encode(table, weights), weights.ofColumn(table));
  }

  /**
   * Evaluates the model on labeled rows, which may have weights.
   *
   * @param table the targets of the rows; other columns are not needed
   * @param rows the rows of the table encoded for the model's loss; their weights count in the loss
   * @param weights [rows] weights in the metrics; null if all are equal
   * @throws InvalidInputException as for {@link #score(Table)}
   */
  public Scores score(Table table, Dataset rows, double[] weights) {
    double loss = loss(rows);
    return model.encoding().task() == Task.CLASSIFICATION ? scoreClasses(table, rows, loss, weights)
        : scoreNumbers(table, rows, loss, weights);
  }

  /**
   * Prepares labeled rows for scoring them with permuted columns.
   *
   * @param metric one of the model's task
   * @throws InvalidInputException as for {@link #score(Table, RowWeights)}
   */
  public PermutedScoring permuted(Metric metric, Table table, RowWeights weights) {
    return permuted(metric, table, encode(table, weights), weights.ofColumn(table));
  }

  private Dataset encode(Table table, RowWeights weights) {
    Dataset rows = model.encoding().encode(table, model.loss(), precision, held);
    return weights.apply(rows, table, model.encoding(), table);
  }

  /**
   * Prepares encoded labeled rows for scoring them with permuted columns.
   *
   * @param metric one of the model's task
   * @param table the targets of the rows; other columns are not needed
   * @param rows the rows of the table encoded for the model's loss; their weights count in the loss
   * @param weights [rows] weights in the other metrics; null if all are equal
   */
  public PermutedScoring permuted(Metric metric, Table table, Dataset rows, double[] weights) {
    return new PermutedScoring(this, metric, table, rows, weights);
  }

  private Scores scoreClasses(Table table, Dataset rows, double loss, double[] weights) {
    ProbabilityTally tally = new ProbabilityTally(model.resultColumns(), rows.rows());
    ClassMetrics metrics = classMetrics(table, model.encoding().labels(table), pieces(rows), weights, Optional.of(tally));
    Optional<Baseline> baseline = Baseline.of(model);
    return ClassificationScores.of(loss, model.classNames(), metrics, baseline)
        .withJudgment(metrics, new ClassJudgment(metrics, tally, baseline));
  }

  /** Cuts encoded rows into pieces of consecutive rows, without weights. */
  List<Dataset> pieces(Dataset rows) {
    return rows.parts(pieceRows(model));
  }

  /**
   * Compares predicted with true classes.
   *
   * @param table the rows, for error messages
   * @param truth [rows] true classes
   * @param pieces the encoded rows
   */
  ClassMetrics classMetrics(Table table, int[] truth, List<Dataset> pieces, double[] weights) {
    return classMetrics(table, truth, pieces, weights, Optional.empty());
  }

  /** @param tally to which the rows are added */
  private ClassMetrics classMetrics(Table table, int[] truth, List<Dataset> pieces, double[] weights, Optional<ProbabilityTally> tally) {
    int[] predicted = new int[truth.length];
    double[] truthProbabilities = new double[truth.length];
    List<Predictions> kept = new ArrayList<>();
    int first = 0;
    for (Dataset piece : pieces) {
      Predictions predictions = finite(table, piece, first);
      for (int row = 0; row < piece.rows(); row++) {
        predicted[first + row] = predictions.classIndex(row);
        truthProbabilities[first + row] = predictions.probability(row, truth[first + row]);
      }
      if (tally.isPresent()) {
        addTo(tally.get(), predictions, first, truth, weights);
      }
      first += piece.rows();
      if ((long) first * model.resultColumns() <= MAX_KEPT_VALUES) {
        kept.add(predictions);
      }
    }
    return new ClassMetrics(model.resultColumns(), truth, predicted, truthProbabilities, weights,
        ranking -> rank(pieces, kept, ranking));
  }

  /** @param first row of the predictions in the table */
  private static void addTo(ProbabilityTally tally, Predictions predictions, int first, int[] truth, double[] weights) {
    for (int row = 0; row < predictions.rows(); row++) {
      int at = row;
      tally.add(first + row, truth[first + row], predictions.classIndex(row), c -> predictions.probability(at, c),
          weights == null ? 1 : weights[first + row]);
    }
  }

  /** Passes all probabilities to a ranking; pieces that were not kept are predicted again. */
  private void rank(List<Dataset> pieces, List<Predictions> kept, OneVersusRest ranking) {
    int first = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Predictions predictions = i < kept.size() ? kept.get(i) : predict(pieces.get(i));
      for (int c = 0; c < model.resultColumns(); c++) {
        for (int row = 0; row < predictions.rows(); row++) {
          ranking.add(first + row, c, predictions.probability(row, c));
        }
      }
      first += predictions.rows();
    }
  }

  private Predictions predict(Dataset piece) {
    return new Predictions(model, outputs(piece));
  }

  /** Returns the outputs of the network for encoded rows, [rows x outputs] row-major. */
  double[] outputs(Dataset rows) {
    double[] outputs = new double[rows.rows() * model.network().outputs()];
    session().predict(0, rows, outputs);
    return outputs;
  }

  /**
   * Predicts some rows of a table.
   *
   * @param first row of the piece in the table
   * @throws InvalidInputException when a result is not finite
   */
  private Predictions finite(Table table, Dataset piece, int first) {
    Predictions predictions = predict(piece);
    for (int row = 0; row < piece.rows(); row++) {
      if (!predictions.isFinite(row)) {
        throw new InvalidInputException(model.encoding().mostExtremeValue(table, first + row, piece, row)
            + ": the network's outputs are not finite there; correct the row or leave it out");
      }
    }
    return predictions;
  }

  private Scores scoreNumbers(Table table, Dataset rows, double loss, double[] weights) {
    return RegressionScores.of(loss, model.encoding().target().names(), numbers(table), numbers(table, pieces(rows)), weights,
        Baseline.of(model));
  }

  /** Returns the true numbers, [target][row]. */
  double[][] numbers(Table table) {
    List<String> names = model.encoding().target().names();
    double[][] truth = new double[names.size()][table.rows()];
    for (int target = 0; target < names.size(); target++) {
      Arrays.setAll(truth[target], table.column(names.get(target))::number);
    }
    return truth;
  }

  /**
   * Returns predicted numbers, [target][row].
   *
   * @param table the rows, for error messages
   * @param pieces the encoded rows
   */
  double[][] numbers(Table table, List<Dataset> pieces) {
    double[][] predicted = new double[model.resultColumns()][table.rows()];
    int first = 0;
    for (Dataset piece : pieces) {
      Predictions predictions = finite(table, piece, first);
      for (int row = 0; row < piece.rows(); row++) {
        for (int target = 0; target < predicted.length; target++) {
          predicted[target][first + row] = predictions.number(row, target);
        }
      }
      first += piece.rows();
    }
    return predicted;
  }

  /** Returns the mean loss of encoded rows, weighted if they have weights. */
  double loss(Dataset rows) {
    return session().evaluate(rows).loss()[0];
  }

  TrainedModel model() {
    return model;
  }

  @Override
  public void close() {
    if (separate != null) {
      separate.ifPresent(InferenceSession::close);
    }
    if (session != null) {
      session.close();
    }
  }
}
