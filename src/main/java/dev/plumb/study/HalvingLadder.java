package dev.plumb.study;

import dev.plumb.study.TuningScores.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The order in which the candidates of a hyperparameter search are trained: which of them advance to the next rung, which are
 * trained from more seeds, and which one wins.
 *
 * @param baseCandidates number of candidates that are not drawn; they are the first ones
 * @param candidates number of candidates
 * @param rungs number of epochs of each rung
 */
record HalvingLadder(int baseCandidates, int candidates, List<Integer> rungs) {
  /** Maximum number of seeds: the first one chooses the finalists, the others judge them. */
  static final int SEEDS = 3;
  /** The seed of the candidates in the rungs. */
  static final List<Integer> FIRST_SEED = List.of(0);
  /** A rung has at most one of this many of the candidates of the rung before, and base candidates. */
  static final int ETA = 3;
  /** Number of drawn candidates that are trained from a second seed, with the best base candidate. */
  private static final int DRAWN_FINALISTS = 2;
  /** Number of standard errors by which a drawn candidate must be better than the best base candidate to win. */
  private static final double MIN_ERRORS_TO_WIN = 1;
  /** Number of standard errors above which no more seeds are trained. */
  private static final double MIN_ERRORS_TO_STOP = 2;

  HalvingLadder {
    if (baseCandidates < 1 || baseCandidates > candidates) {
      throw new IllegalArgumentException(baseCandidates + " base candidates of " + candidates);
    }
  }

  /** Trains the networks of some entries from a seed, and adds their scores. */
  interface EntryTrainer {
    void train(List<Entry> entries, int seed);
  }

  /**
   * The result of a ladder.
   *
   * @param rungs those that have candidates
   * @param standings all candidates: the winner, the other finalists, the others from the best to the worst
   */
  record Outcome(List<TuningResult.Rung> rungs, List<TuningResult.Standing> standings) {}

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
    int finalTrainings = drawn == 0 ? 0 : drawn + 1 + 2 * (SEEDS - 2);
    return epochs + (long) finalTrainings * rungs.get(rungs.size() - 1);
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
    int advancing = candidates;
    for (int rung = 0; rung < rungs.size() && !remaining.isEmpty(); rung++) {
      int current = rung;
      List<Entry> entries = remaining.stream().map(candidate -> new Entry(candidate, current)).toList();
      trainer.train(entries, FIRST_SEED.get(0));
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
    Map<Entry, List<Integer>> finalists = judge(ranking, scores, trainer);
    List<TuningResult.Standing> standings = new ArrayList<>();
    Stream.concat(finalists.keySet().stream(), ranking.stream().filter(entry -> !finalists.containsKey(entry))).forEach(entry -> {
      List<Integer> seeds = finalists.getOrDefault(entry, List.of());
      standings.add(new TuningResult.Standing(entry.candidate(), entry.rung(), lastRungs[entry.candidate()], seeds.size(),
          scores.summary(entry, seeds.isEmpty() ? FIRST_SEED : seeds)));
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
   * Trains the best drawn candidates and the best base candidate from other seeds, until one is clearly better: the scores of the
   * first seed are the best of many, and so too good.
   *
   * @param ranking all candidates by the first seed, from the best to the worst
   * @return the finalists with the seeds that judge them, the winner first; empty if no candidate is drawn, or all drawn ones diverged
   */
  private Map<Entry, List<Integer>> judge(List<Entry> ranking, TuningScores scores, EntryTrainer trainer) {
    Entry base = ranking.stream().filter(this::isBase).findFirst().orElseThrow();
    boolean hasBaseDiverged = scores.hasDiverged(base, FIRST_SEED);
    List<Entry> drawn = ranking.stream().filter(entry -> !isBase(entry) && !scores.hasDiverged(entry, FIRST_SEED))
        .limit(DRAWN_FINALISTS).toList();
    Map<Entry, List<Integer>> seedsByFinalist = new HashMap<>();
    double errors = 0;
    for (int seed = 1; seed < SEEDS && !drawn.isEmpty() && errors <= MIN_ERRORS_TO_STOP; seed++) {
      List<Entry> finalists = Stream.concat(Stream.of(base), drawn.stream()).toList();
      trainer.train(finalists, seed);
      List<Integer> seeds = IntStream.rangeClosed(1, seed).boxed().toList();
      finalists.forEach(entry -> seedsByFinalist.put(entry, seeds));
      Entry best = scores.ranking(drawn, seeds).get(0);
      boolean isAhead = hasBaseDiverged || scores.ranking(List.of(base, best), seeds).get(0) == best;
      drawn = isAhead ? List.of(best) : List.of();
      errors = scores.standardErrors(best, base, seeds);
    }
    Entry winner = !drawn.isEmpty() && (hasBaseDiverged || errors > MIN_ERRORS_TO_WIN) ? drawn.get(0) : base;
    Map<Entry, List<Integer>> sorted = new LinkedHashMap<>();
    Stream.concat(Stream.of(winner, base), ranking.stream()).filter(seedsByFinalist::containsKey)
        .forEach(entry -> sorted.putIfAbsent(entry, seedsByFinalist.get(entry)));
    return sorted;
  }

  private boolean isBase(Entry entry) {
    return entry.candidate() < baseCandidates;
  }
}
