package dev.plumb.study;

import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The result of a hyperparameter search.
 *
 * @param baseCandidates number of candidates that are not drawn; they are the first ones
 * @param candidates the configuration of each candidate, with all columns filled in
 * @param ladder the rungs, from the first
 * @param standings all candidates: the winner, the other finalists, the others from the best to the worst
 * @param trials all trained networks, in the order of rung, candidate, fold and seed
 * @param winner the configuration of the winner, for a training on all rows, with the columns of the specification
 */
public record TuningResult(TuningSpec spec, int baseCandidates, List<TrainConfig> candidates, List<Rung> ladder,
    List<Standing> standings, List<TuningTrial> trials, TrainConfig winner) {
  /**
   * A rung of the ladder.
   *
   * @param epochs number of epochs of its networks
   * @param candidates number of candidates
   * @param best best mean score; NaN if all candidates diverged
   */
  public record Rung(int epochs, int candidates, double best) {}

  /**
   * A candidate with the epochs of its best rung.
   *
   * @param rung number of the rung of its best score, from 0
   * @param lastRung number of the last rung that it was trained for, from 0
   * @param otherSeeds number of seeds of the score if it is a finalist: other ones than the first, which chose it; 0 if it is none
   * @param score summary over folds and seeds in the rung of its best score; its mean is NaN if one of its networks diverged
   */
  public record Standing(int candidate, int rung, int lastRung, int otherSeeds, Summary score) {
    /** Returns whether the candidate was trained from other seeds too. */
    public boolean isFinalist() {
      return otherSeeds > 0;
    }

    /** Returns whether one of the candidate's networks diverged. */
    public boolean isDiverged() {
      return Double.isNaN(score.mean());
    }
  }

  /**
   * Number of standard errors by which a drawn candidate must be better than the best base candidate to win. With 0.5 or 1,
   * drawn candidates won on ten tables of up to 1,400 rows whose scores on new rows were worse.
   */
  public static final double MIN_STANDARD_ERRORS = 1.5;
  private static final int MAX_BEST = 10;

  /** Returns the metric that judges the candidates. */
  public Metric metric() {
    return spec.config().trainer().watch();
  }

  /** Returns the number of folds; 1 if the candidates are judged by held-out rows. */
  public int folds() {
    return trials.stream().mapToInt(TuningTrial::fold).max().orElse(0) + 1;
  }

  /** Returns whether a candidate is not drawn. */
  public boolean isBase(int candidate) {
    return candidate < baseCandidates;
  }

  /** Returns whether a base candidate wins because no drawn finalist is clearly better. */
  public boolean isBaseKept() {
    Standing winner = standings.get(0);
    return isBase(winner.candidate()) && winner.isFinalist();
  }

  /** Returns the best candidate that is not drawn. */
  public Standing base() {
    return standings.stream().filter(standing -> isBase(standing.candidate())).findFirst().orElseThrow();
  }

  /** Returns the best ten candidates, and those that are not drawn. */
  public List<Standing> best() {
    return IntStream.range(0, standings.size()).filter(rank -> rank < MAX_BEST || isBase(standings.get(rank).candidate()))
        .mapToObj(standings::get).toList();
  }

  /** Returns a candidate's score, with the interval cut at the limits of the metric. */
  public Summary score(Standing standing) {
    return standing.score().within(metric().min(), metric().max());
  }

  /** Returns the number of finished epochs of all networks. */
  public long epochs() {
    return trials.stream().mapToLong(TuningTrial::epochs).sum();
  }

  /** Returns the training time of all networks in seconds; those that are trained at once count each. */
  public double seconds() {
    return trials.stream().mapToDouble(TuningTrial::seconds).sum();
  }
}
