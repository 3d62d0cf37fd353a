package dev.plumb.study;

import dev.plumb.data.Folds.Fold;
import dev.plumb.train.Metric;
import dev.plumb.train.Predictions;
import dev.plumb.train.Scores;
import dev.plumb.train.TrainerState;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The result of one network of a cross-validation.
 *
 * @param fold its rows
 * @param validationRows number of the training rows that were held out to choose the best epoch
 * @param end the reason why the training ended
 * @param epochs number of finished epochs
 * @param bestEpoch the epoch of the parameters that are scored; 0 if there is none
 * @param scores of the test rows; empty if there is no best epoch, or an output for a test row is not finite
 * @param predictions for the test rows; empty if there is no best epoch
 * @param seconds its share of the training time of those that were trained together
 */
public record FoldResult(Fold fold, long seed, int validationRows, TrainerState.End end, int epochs, int bestEpoch,
    Optional<Scores> scores, Optional<Predictions> predictions, double seconds) {

  FoldResult withoutTime() {
    return new FoldResult(fold, seed, validationRows, end, epochs, bestEpoch, scores, predictions, 0);
  }

  /** Returns results, all of one fold, as bytes for {@link #read}. */
  static byte[] write(List<FoldResult> results) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeInt(results.size());
      for (FoldResult result : results) {
        out.writeLong(result.seed);
        out.writeInt(result.validationRows);
        out.writeInt(result.end.ordinal());
        out.writeInt(result.epochs);
        out.writeInt(result.bestEpoch);
        out.writeDouble(result.seconds);
        out.writeBoolean(result.scores.isPresent());
        if (result.scores.isPresent()) {
          result.scores.get().write(out);
        }
        out.writeBoolean(result.predictions.isPresent());
        if (result.predictions.isPresent()) {
          result.predictions.get().write(out);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Reads the results of a fold, to the same bits. */
  static List<FoldResult> read(Fold fold, byte[] bytes) {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      List<FoldResult> results = new ArrayList<>();
      for (int left = in.readInt(); left > 0; left--) {
        long seed = in.readLong();
        int validationRows = in.readInt();
        TrainerState.End end = TrainerState.End.values()[in.readInt()];
        int epochs = in.readInt();
        int bestEpoch = in.readInt();
        double seconds = in.readDouble();
        Optional<Scores> scores = in.readBoolean() ? Optional.of(Scores.read(in)) : Optional.empty();
        Optional<Predictions> predictions = in.readBoolean() ? Optional.of(Predictions.read(in)) : Optional.empty();
        results.add(new FoldResult(fold, seed, validationRows, end, epochs, bestEpoch, scores, predictions, seconds));
      }
      return results;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the number of the repeat, from 1. */
  public int repeat() {
    return fold.repeat();
  }

  /** Returns the number of the fold in its repeat, from 1. */
  public int number() {
    return fold.number();
  }

  /** Returns the number of rows that the network was trained on or, to choose the best epoch, validated on. */
  public int trainingSize() {
    return fold.training().length;
  }

  /** Returns the number of test rows. */
  public int testSize() {
    return fold.test().length;
  }

  /** Returns whether the training diverged, or the outputs for the test rows are not finite. */
  public boolean isDiverged() {
    return end == TrainerState.End.DIVERGED || scores.isEmpty();
  }

  /** Returns a score of the test rows; NaN if there is none. */
  public double score(Metric metric) {
    return scores.map(values -> values.value(metric)).orElse(Double.NaN);
  }
}
