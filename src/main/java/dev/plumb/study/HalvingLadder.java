package dev.plumb.study;

import dev.plumb.study.TuningScores.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The order in which the candidates of a hyperparameter search are trained: which of them advance to the next rung, which are
 * trained from more seeds, and which one wins.
 *
 * @param baseCandidates number of candidates that are not drawn; they are the first ones
 * @param candidates number of candidates
 * @param rungs number of epochs of each rung
 */
record HalvingLadder(int baseCandidates, int candidates, List<Integer> rungs) {
  /** Number of seeds: the first one chooses the finalists, the others judge them. */
  static final int SEEDS = 3;
  /** The seed of the candidates in the rungs. */
  static final List<Integer> FIRST_SEED = List.of(0);
  /** The best of this many candidates advances to the next rung. */
  static final int ETA = 3;
  /** Number of candidates that are trained from the other seeds, besides the best base candidate. */
  private static final int FINALISTS = 3;

  /** Trains the networks of some entries and adds their scores. */
  interface EntryTrainer {
    void train(List<Entry> entries, List<Integer> seeds);
  }

  /**
   * The result of a ladder.
   *
   * @param rungs those that have candidates
   * @param standings all candidates, the best first
   */
  record Outcome(List<TuningResult.Rung> rungs, List<TuningResult.Standing> standings) {}

  /** Returns the maximum number of epochs over all networks, per fold. */
  long maxEpochs() {
    long epochs = 0;
    int remaining = candidates;
    for (int rungEpochs : rungs) {
      epochs += (long) remaining * rungEpochs;
      remaining = Math.min(remaining, advancing(remaining) + baseCandidates);
    }
    return epochs + Math.min(candidates, FINALISTS + 1L) * (SEEDS - 1) * rungs.get(rungs.size() - 1);
  }

  private static int advancing(int candidates) {
    return (candidates + ETA - 1) / ETA;
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
    for (int rung = 0; rung < rungs.size() && !remaining.isEmpty(); rung++) {
      int current = rung;
      List<Entry> entries = remaining.stream().map(candidate -> new Entry(candidate, current)).toList();
      trainer.train(entries, FIRST_SEED);
      remaining.forEach(candidate -> lastRungs[candidate] = current);
      List<Entry> ranking = scores.ranking(entries, FIRST_SEED);
      ladder.add(new TuningResult.Rung(rungs.get(rung), ranking.size(), scores.summary(ranking.get(0), FIRST_SEED).mean()));
      int count = advancing(ranking.size());
      remaining = IntStream.range(0, ranking.size()).filter(i -> i < count || isBase(ranking.get(i))).mapToObj(ranking::get)
          .filter(scores::mayAdvance).map(Entry::candidate).toList();
    }
    List<Entry> ranking = scores.ranking(
        IntStream.range(0, candidates).mapToObj(candidate -> scores.best(candidate, lastRungs[candidate])).toList(), FIRST_SEED);
    Entry base = ranking.stream().filter(this::isBase).findFirst().orElseThrow();
    List<Entry> finalists =
        IntStream.range(0, ranking.size()).filter(i -> i < FINALISTS || ranking.get(i) == base).mapToObj(ranking::get).toList();
    // The scores of the first seed are the best of many, and so too good.
    List<Integer> otherSeeds = IntStream.range(1, SEEDS).boxed().toList();
    trainer.train(finalists, otherSeeds);
    Function<List<Integer>, Function<Entry, TuningResult.Standing>> standing = seeds -> entry -> new TuningResult.Standing(
        entry.candidate(), entry.rung(), lastRungs[entry.candidate()], seeds.size(), scores.summary(entry, seeds));
    List<TuningResult.Standing> standings =
        new ArrayList<>(scores.ranking(finalists, otherSeeds).stream().map(standing.apply(otherSeeds)).toList());
    standings.addAll(ranking.stream().filter(entry -> !finalists.contains(entry)).map(standing.apply(FIRST_SEED)).toList());
    // A stable sort: a finalist may diverge from another seed.
    standings.sort(Comparator.comparing(TuningResult.Standing::isDiverged));
    return new Outcome(ladder, standings);
  }

  private boolean isBase(Entry entry) {
    return entry.candidate() < baseCandidates;
  }
}
