package dev.plumb.study;

import dev.plumb.study.TuningScores.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The order in which the candidates of a hyperparameter search are trained: which of them advance to the next rung, which are
 * trained from more seeds, and which one wins.
 *
 * @param baseCandidates number of candidates that are not drawn; they are the first ones
 * @param candidates number of candidates
 * @param rungs number of epochs of each rung
 * @param seeds number of seeds: the first chooses the finalists, the others judge them
 */
record HalvingLadder(int baseCandidates, int candidates, List<Integer> rungs, int seeds) {
  /** Maximum number of seeds. */
  static final int MAX_SEEDS = 3;
  /** Number of folds from which on one seed judges the finalists; with fewer, two do. */
  private static final int MIN_FOLDS_FOR_TWO_SEEDS = 4;
  /** The seed of the candidates in the rungs. */
  static final List<Integer> FIRST_SEED = List.of(0);
  /**
   * The planned number of candidates of a rung is that of the rung before, divided by this; base candidates are added. With 3, a search on
   * ten tables of up to 1,400 rows took a tenth more time and found no better candidates.
   */
  private static final int REDUCTION_FACTOR = 4;
  /** Number of drawn candidates that are trained from other seeds, with the best base candidate. */
  private static final int DRAWN_FINALISTS = 2;

  HalvingLadder {
    if (baseCandidates < 1 || baseCandidates > candidates) {
      throw new IllegalArgumentException(baseCandidates + " base candidates of " + candidates);
    }
  }

  /** Trains the networks of some entries from some seeds, and adds their scores. */
  interface EntryTrainer {
    void train(List<Entry> entries, List<Integer> seeds);
  }

  /**
   * The result of a ladder.
   *
   * @param rungs those that have candidates
   * @param standings all candidates: the winner, the other finalists, the others from the best to the worst
   */
  record Outcome(List<TuningResult.Rung> rungs, List<TuningResult.Standing> standings) {}

  /** Returns the number of seeds for a number of folds, 1 for held-out rows: few folds give too few differences for a standard error. */
  static int seeds(int folds) {
    return folds < MIN_FOLDS_FOR_TWO_SEEDS ? MAX_SEEDS : MAX_SEEDS - 1;
  }

  /** Returns the ladder for another number of candidates, with as many base candidates as fit. */
  HalvingLadder withCandidates(int other) {
    return new HalvingLadder(Math.min(baseCandidates, other), other, rungs, seeds);
  }

  /** Returns the maximum number of epochs over all networks, per fold. */
  long maxEpochs() {
    long epochs = 0;
    int remaining = candidates;
    int advancing = candidates;
    for (int rungEpochs : rungs) {
      epochs += (long) remaining * rungEpochs;
      advancing = advancing(advancing);
      remaining = Math.min(remaining, advancing + baseCandidates);
    }
    int drawn = Math.min(candidates - baseCandidates, DRAWN_FINALISTS);
    int finalTrainings = drawn == 0 ? 0 : (drawn + 1) * (seeds - 1);
    return epochs + (long) finalTrainings * rungs.get(rungs.size() - 1);
  }

  private static int advancing(int candidates) {
    return (candidates + REDUCTION_FACTOR - 1) / REDUCTION_FACTOR;
  }

  /**
   * Climbs the ladder.
   *
   * @param scores receives the scores from the trainer; those that are known need no training
   */
  Outcome climb(TuningScores scores, EntryTrainer trainer) {
    List<TuningResult.Rung> ladder = new ArrayList<>();
    int[] lastRungs = new int[candidates];
    List<Integer> remaining = IntStream.range(0, candidates).boxed().toList();
    int advancing = candidates;
    for (int rung = 0; rung < rungs.size() && !remaining.isEmpty(); rung++) {
      int current = rung;
      List<Entry> entries = remaining.stream().map(candidate -> new Entry(candidate, current)).toList();
      trainer.train(entries, FIRST_SEED);
      remaining.forEach(candidate -> lastRungs[candidate] = current);
      List<Entry> ranking = scores.ranking(entries, FIRST_SEED);
      ladder.add(new TuningResult.Rung(rungs.get(rung), ranking.size(), scores.summary(ranking.get(0), FIRST_SEED).mean()));
      advancing = advancing(advancing);
      int count = advancing;
      List<Entry> best = bestEntries(lastRungs, scores);
      remaining = IntStream.range(0, candidates).filter(i -> i < count || isBase(best.get(i))).map(i -> best.get(i).candidate())
          .filter(candidate -> lastRungs[candidate] == current && scores.mayAdvance(new Entry(candidate, current))).boxed().toList();
    }
    List<Entry> ranking = bestEntries(lastRungs, scores);
    List<Integer> otherSeeds = IntStream.range(1, seeds).boxed().toList();
    List<Entry> finalists = judge(ranking, otherSeeds, scores, trainer);
    List<TuningResult.Standing> standings = new ArrayList<>();
    Stream.concat(finalists.stream(), ranking.stream()).distinct().forEach(entry -> {
      boolean isFinalist = finalists.contains(entry);
      standings.add(new TuningResult.Standing(entry.candidate(), entry.rung(), lastRungs[entry.candidate()],
          isFinalist ? otherSeeds.size() : 0, scores.summary(entry, isFinalist ? otherSeeds : FIRST_SEED)));
    });
    // A stable sort: a finalist may diverge from another seed.
    standings.sort(Comparator.comparing(TuningResult.Standing::isDiverged));
    return new Outcome(ladder, standings);
  }

  /** Returns each candidate with its best rung, the best first. */
  private List<Entry> bestEntries(int[] lastRungs, TuningScores scores) {
    return scores.ranking(
        IntStream.range(0, candidates).mapToObj(candidate -> scores.best(candidate, lastRungs[candidate])).toList(), FIRST_SEED);
  }

  /**
   * Trains the best drawn candidates and the best base candidate from other seeds: the scores of the first seed are the best of many, and
   * therefore optimistic.
   *
   * @param ranking all candidates by the first seed, from the best to the worst
   * @return the finalists, the winner first, then the base candidate, unless it diverged from the first seed; empty if no candidate is
   *     drawn, or all drawn ones diverged
   */
  private List<Entry> judge(List<Entry> ranking, List<Integer> otherSeeds, TuningScores scores, EntryTrainer trainer) {
    List<Entry> sound = ranking.stream().filter(entry -> !scores.hasDiverged(entry)).toList();
    List<Entry> drawn = sound.stream().filter(entry -> !isBase(entry)).limit(DRAWN_FINALISTS).toList();
    if (drawn.isEmpty()) {
      return List.of();
    }
    Optional<Entry> base = sound.stream().filter(this::isBase).findFirst();
    List<Entry> finalists = Stream.concat(base.stream(), drawn.stream()).toList();
    trainer.train(finalists, otherSeeds);
    Entry best = scores.ranking(drawn, otherSeeds).get(0);
    boolean isBetter = base.isEmpty() || scores.standardErrors(best, base.get(), otherSeeds) > TuningResult.MIN_STANDARD_ERRORS;
    return isBetter ? Stream.concat(Stream.of(best), finalists.stream()).distinct().toList() : finalists;
  }

  private boolean isBase(Entry entry) {
    return entry.candidate() < baseCandidates;
  }
}
