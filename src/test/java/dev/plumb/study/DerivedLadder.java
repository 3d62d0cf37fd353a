package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Derives the ladder, the finalists and the winner of a hyperparameter search again from the scores of its networks. */
final class DerivedLadder {
  private DerivedLadder() {}

  /** Derives the ladder again from the scores of all networks. */
  static void assertLadder(TuningResult result, int trials, int folds) {
    List<Integer> going = IntStream.range(0, trials).boxed().toList();
    int[] lastRungs = new int[trials];
    int advancing = trials;
    for (int rung = 0; rung < result.ladder().size(); rung++) {
      int current = rung;
      going.forEach(candidate -> lastRungs[candidate] = current);
      Set<Integer> entered = result.trials().stream().filter(trial -> trial.rung() == current && trial.seed() == 0)
          .map(TuningTrial::candidate).collect(Collectors.toSet());
      assertEquals(Set.copyOf(going), entered);
      assertEquals(going.size(), result.ladder().get(rung).candidates());
      List<Integer> ranked = ranked(going, candidate -> mean(result, current, candidate));
      assertEquals(Math.abs(mean(result, rung, ranked.get(0))), result.ladder().get(rung).best(), 1e-12);
      advancing = (int) Math.ceil(advancing / 4.0);
      List<Integer> best = ranked(IntStream.range(0, trials).boxed().toList(),
          candidate -> bestMean(result, lastRungs[candidate], candidate)).subList(0, advancing);
      going = going.stream().filter(candidate -> candidate < result.baseCandidates() || best.contains(candidate))
          .filter(candidate -> mean(result, current, candidate) < Double.POSITIVE_INFINITY && (current == 0
              || mean(result, current, candidate) <= mean(result, current - 1, candidate))).toList();
      assertTrue(!going.isEmpty() || rung == result.ladder().size() - 1);
    }
    int[] bestRungs = IntStream.range(0, trials).map(candidate -> IntStream.rangeClosed(0, lastRungs[candidate]).boxed()
        .min(Comparator.comparingDouble(rung -> mean(result, rung, candidate))).orElseThrow()).toArray();
    List<Integer> ranked = ranked(IntStream.range(0, trials).boxed().toList(),
        candidate -> mean(result, bestRungs[candidate], candidate));
    List<Integer> order = finalists(result, ranked, bestRungs, folds);
    ranked.stream().filter(candidate -> !order.contains(candidate)).forEach(order::add);
    assertEquals(order, result.standings().stream().map(TuningResult.Standing::candidate).toList());
    for (TuningResult.Standing standing : result.standings()) {
      assertEquals(bestRungs[standing.candidate()], standing.rung());
      assertEquals(lastRungs[standing.candidate()], standing.lastRung());
    }
    int winner = order.get(0);
    assertEquals(result.candidates().get(winner).with(c -> c.epochs(result.ladder().get(bestRungs[winner]).epochs())
        .columns(result.winner().columns())), result.winner());
    assertEquals(0, result.winner().validation());
  }

  /** Derives the finalists again, the winner first, the others as they are ranked by the first seed. */
  private static List<Integer> finalists(TuningResult result, List<Integer> ranked, int[] bestRungs, int folds) {
    List<Integer> sound = ranked.stream()
        .filter(candidate -> mean(result, bestRungs[candidate], candidate) < Double.POSITIVE_INFINITY).toList();
    int base = sound.stream().filter(candidate -> candidate < result.baseCandidates()).findFirst().orElseThrow();
    List<Integer> drawn = sound.stream().filter(candidate -> candidate >= result.baseCandidates()).limit(2).toList();
    int lastSeed = folds > 3 ? 1 : 2;
    Set<String> expected = new HashSet<>();
    for (int seed = 1; seed <= lastSeed && !drawn.isEmpty(); seed++) {
      for (int candidate : drawn) {
        expected.add(candidate + " " + seed);
      }
      expected.add(base + " " + seed);
    }
    List<TuningTrial> more = result.trials().stream().filter(trial -> trial.seed() > 0).toList();
    assertEquals(expected, more.stream().map(trial -> trial.candidate() + " " + trial.seed()).collect(Collectors.toSet()));
    assertEquals(expected.size() * folds, more.size());
    assertTrue(more.stream().allMatch(trial -> trial.rung() == bestRungs[trial.candidate()]));
    List<Integer> order = new ArrayList<>();
    if (!expected.isEmpty()) {
      int best = ranked(drawn, candidate -> otherSeedsMean(result, bestRungs[candidate], candidate)).get(0);
      int winner = standardErrors(result, bestRungs, best, base, lastSeed, folds) > 1.5 ? best : base;
      order.add(winner);
      if (winner != base) {
        order.add(base);
      }
      ranked.stream().filter(candidate -> drawn.contains(candidate) && candidate != winner).forEach(order::add);
    }
    return order;
  }

  /** Returns the gain of a candidate over another in standard errors, from the definition; for folds of about the same size. */
  private static double standardErrors(TuningResult result, int[] rungs, int one, int other, int seeds, int folds) {
    double[] gains = IntStream.range(0, folds * seeds).mapToDouble(i -> {
      double gain = score(result, rungs[other], other, i % folds, 1 + i / folds) - score(result, rungs[one], one, i % folds, 1 + i / folds);
      return result.metric().isHigherBetter() ? -gain : gain;
    }).toArray();
    double mean = Arrays.stream(gains).sum() / gains.length;
    double squares = Arrays.stream(gains).map(gain -> (gain - mean) * (gain - mean)).sum();
    double share = folds > 1 ? 1.0 / (folds - 1) : 0.25;
    return mean == 0 || gains.length == 1 ? 0 : mean / Math.sqrt(squares / (gains.length - 1) * (1.0 / gains.length + share));
  }

  private static double score(TuningResult result, int rung, int candidate, int fold, int seed) {
    return result.trials().stream().filter(trial -> trial.rung() == rung && trial.candidate() == candidate && trial.fold() == fold
        && trial.seed() == seed).findFirst().orElseThrow().score();
  }

  private static List<Integer> ranked(List<Integer> candidates, ToDoubleFunction<Integer> score) {
    return candidates.stream().sorted(Comparator.comparingDouble(score).thenComparingInt(candidate -> candidate)).toList();
  }

  private static double mean(TuningResult result, int rung, int candidate) {
    return mean(result, trial -> trial.rung() == rung && trial.candidate() == candidate && trial.seed() == 0);
  }

  private static double bestMean(TuningResult result, int lastRung, int candidate) {
    return IntStream.rangeClosed(0, lastRung).mapToDouble(rung -> mean(result, rung, candidate)).min().orElseThrow();
  }

  private static double otherSeedsMean(TuningResult result, int rung, int candidate) {
    return mean(result, trial -> trial.rung() == rung && trial.candidate() == candidate && trial.seed() > 0);
  }

  private static double mean(TuningResult result, Predicate<TuningTrial> isCounted) {
    double[] scores = result.trials().stream().filter(isCounted).mapToDouble(TuningTrial::score).toArray();
    double mean = IntStream.range(0, scores.length).mapToDouble(i -> scores[i]).sum() / scores.length;
    double signed = result.metric().isHigherBetter() ? -mean : mean;
    return Double.isNaN(mean) ? Double.POSITIVE_INFINITY : signed;
  }
}
