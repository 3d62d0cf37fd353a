package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.study.TuningResult.Standing;
import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The order of candidates, from made-up scores. */
class HalvingLadderTest {
  private static final SearchSpace SPACE = SearchSpace.parse("{\"learningRate\": {\"log\": [1e-3, 1e-1]}}");

  private static TuningResult climb(int candidates, int bases, TuningResults.Scores scores) {
    TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT, SPACE, candidates, OptionalInt.of(2), 3);
    return TuningResults.of(spec, bases, 2, List.of(5, 15, 45), scores);
  }

  private static List<Integer> candidates(TuningResult result) {
    return result.standings().stream().map(Standing::candidate).toList();
  }

  private static Standing standing(TuningResult result, int candidate) {
    return result.standings().get(candidates(result).indexOf(candidate));
  }

  @Test
  void worseScoreEndsACandidate() {
    // Candidate 0 becomes worse, candidate 1 stays the same, all others become better.
    TuningResult result = climb(9, 1, (candidate, config, rungs, fold, seed) ->
        candidate == 0 ? 10 - rungs : candidate == 1 ? 7 : 8 + candidate + rungs);
    assertEquals(1, standing(result, 0).lastRung());
    assertEquals(0, standing(result, 0).rung());
    assertEquals(2, standing(result, 1).lastRung());
    assertEquals(0, standing(result, 1).rung(), "of equal scores, that of fewer epochs");
    assertEquals(List.of(9, 3, 1), result.ladder().stream().map(TuningResult.Rung::candidates).toList());
  }

  @Test
  void ladderEndsWhenAllHaveBecomeWorse() {
    TuningResult result = climb(9, 1, (candidate, config, rungs, fold, seed) -> candidate - rungs);
    assertEquals(List.of(9, 3), result.ladder().stream().map(TuningResult.Rung::candidates).toList());
    assertEquals(5, result.ladder().get(result.standings().get(0).rung()).epochs());
  }

  @Test
  void finalistThatDivergesIsLast() {
    TuningResult result = climb(6, 1, (candidate, config, rungs, fold, seed) ->
        candidate == 1 && seed == 1 ? Double.NaN : candidate == 1 ? 0 : 1 + candidate);
    assertEquals(0, candidates(result).get(0));
    assertEquals(1, candidates(result).get(5));
    assertTrue(standing(result, 1).isDiverged());
    assertTrue(standing(result, 1).isFinalist());
    assertFalse(standing(result, 5).isFinalist());
  }

  @Test
  void bestBaseCandidateIsAFinalist() {
    TuningResult result = climb(12, 4, (candidate, config, rungs, fold, seed) -> candidate < 4 ? 100 - candidate : candidate + rungs);
    assertEquals(List.of(4, 3, 5, 6), candidates(result).subList(0, 4));
    assertTrue(standing(result, 3).isFinalist());
    assertFalse(standing(result, 2).isFinalist());
    assertFalse(standing(result, 6).isFinalist(), "the third of the drawn candidates");
    assertEquals(2, standing(result, 0).lastRung(), "base candidates advance whatever their rank");
  }

  /** Candidate 1 is better than the base candidate by differences of standard deviation s in four folds. */
  private static TuningResult withDifferences(double gain, double deviation) {
    TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT, SPACE, 2, OptionalInt.of(4), 1);
    double noise = deviation * Math.sqrt(3) / 2;
    return TuningResults.of(spec, 1, 4, List.of(10), (candidate, config, rungs, fold, seed) ->
        candidate == 0 ? 10 + fold : 10 + fold - gain + (fold % 2 == 0 ? noise : -noise));
  }

  @Test
  void drawnCandidateMustBeBetterByOneAndAHalfStandardErrors() {
    double error = Math.sqrt(1.0 / 4 + 1.0 / 3);
    assertEquals(List.of(0, 1), candidates(withDifferences(1.49, 1 / error)));
    assertEquals(List.of(1, 0), candidates(withDifferences(1.51, 1 / error)));
    assertEquals(List.of(1, 1), withDifferences(1, 1).standings().stream().map(Standing::otherSeeds).toList());
  }

  @Test
  void baseCandidateThatIsBetterFromTheSecondSeedWins() {
    TuningResult result = climb(2, 1, (candidate, config, rungs, fold, seed) -> candidate == 0 ? 10 : seed == 0 ? 9 : 11);
    assertEquals(List.of(0, 1), candidates(result));
  }

  @Test
  void higherScoreIsBetterForAnAccuracy() {
    TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT.with(c -> c.watch(Metric.ACCURACY)), SPACE, 2, OptionalInt.of(4), 1);
    assertEquals(List.of(1, 0), candidates(TuningResults.of(spec, 1, 4, List.of(10),
        (candidate, config, rungs, fold, seed) -> 0.8 + 0.1 * candidate + 0.01 * fold * candidate)));
    assertEquals(List.of(0, 1), candidates(TuningResults.of(spec, 1, 4, List.of(10),
        (candidate, config, rungs, fold, seed) -> 0.8 - 0.1 * candidate + 0.01 * fold * candidate)));
  }

  /**
   * Held-out rows have a single difference per seed, so that two seeds judge. The differences 1 and d have the mean (1 + d) / 2 and the
   * standard error (1 - d) / √2 · √(1/2 + 1/4): the ratio is 1.5 for d = 0.295.
   */
  @Test
  void heldOutRowsAreJudgedByTheDifferencesOfTwoSeeds() {
    TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT, SPACE, 2, OptionalInt.empty(), 1);
    for (double second : new double[] {0.9, 0.31, 0.28, -2}) {
      TuningResult result = TuningResults.of(spec, 1, 1, List.of(10),
          (candidate, config, rungs, fold, seed) -> candidate == 0 || seed == 0 ? 10 - candidate : 10 - (seed == 1 ? 1 : second));
      assertEquals(second > 0.295 ? List.of(1, 0) : List.of(0, 1), candidates(result), second + "");
      assertEquals(List.of(2, 2), result.standings().stream().map(Standing::otherSeeds).toList());
    }
  }

  @Test
  void fewFoldsAreJudgedByTwoSeeds() {
    assertEquals(List.of(3, 3, 3, 2, 2), IntStream.rangeClosed(1, 5).mapToObj(HalvingLadder::seeds).toList());
  }

  @Test
  void candidateThatDivergedFromTheFirstSeedIsNoFinalist() {
    TuningResult result = climb(3, 1, (candidate, config, rungs, fold, seed) ->
        seed == 0 && candidate == 1 ? Double.NaN : candidate == 0 ? 10 : candidate == 1 ? 1 : 11);
    assertEquals(List.of(0, 2, 1), candidates(result));
    assertFalse(standing(result, 1).isFinalist());
  }

  @Test
  void drawnCandidateWinsIfTheBaseCandidateDivergedFromAnySeed() {
    for (int diverging : new int[] {0, 1}) {
      TuningResult result = climb(3, 1, (candidate, config, rungs, fold, seed) ->
          seed == diverging && candidate == 0 ? Double.NaN : 10 + candidate);
      assertEquals(1, candidates(result).get(0), "seed " + diverging);
    }
  }

  @Test
  void secondCandidateWinsIfItIsBetterFromTheSecondSeed() {
    TuningResult result = climb(3, 1, (candidate, config, rungs, fold, seed) ->
        candidate == 0 ? 10 : candidate == 1 ? (seed == 0 ? 1 : 9) : 2);
    assertEquals(List.of(2, 0, 1), candidates(result));
  }

  @Test
  void searchWithoutASoundFinalistFallsBackToTheFirstSeed() {
    TuningResult result = climb(6, 2, (candidate, config, rungs, fold, seed) -> seed == 1 ? Double.NaN : 10 + candidate);
    assertFalse(standing(result, candidates(result).get(0)).isDiverged());
    assertFalse(result.isBaseKept());
  }

  /** A rung has a quarter of the planned candidates of the one before, however many of those became worse. */
  @Test
  void numbersOfCandidatesArePlanned() {
    TuningResult result = climb(60, 4, (candidate, config, rungs, fold, seed) -> candidate < 4 ? 1000 + rungs : candidate + rungs);
    assertEquals(List.of(60, 19, 8), result.ladder().stream().map(TuningResult.Rung::candidates).toList());
    TuningResult few = climb(27, 1, (candidate, config, rungs, fold, seed) -> candidate >= 3 ? Double.NaN : candidate + rungs);
    assertEquals(List.of(27, 3, 2), few.ladder().stream().map(TuningResult.Rung::candidates).toList());
  }

  /** Candidates whose best score is one of few epochs leave less room in the later rungs. */
  @Test
  void candidatesAreRankedAmongAllByTheirBestRungs() {
    // Candidates 1 to 4 are best, and become worse; the others improve, but stay behind them.
    TuningResult result = climb(27, 1, (candidate, config, rungs, fold, seed) ->
        candidate == 0 ? 1000 - rungs : candidate < 5 ? candidate - rungs : candidate + rungs);
    assertEquals(List.of(27, 8), result.ladder().stream().map(TuningResult.Rung::candidates).toList());
    assertEquals(List.of(0, 0, 0, 0), IntStream.range(1, 5).mapToObj(candidate -> standing(result, candidate).rung()).toList());
  }

  @Test
  void estimateOfTheEpochsIsAnUpperLimitThatIsReached() {
    List<Integer> rungs = List.of(5, 15, 45);
    for (int folds : new int[] {1, 5}) {
      for (int candidates = 1; candidates <= 30; candidates++) {
        HalvingLadder ladder = new HalvingLadder(Math.min(4, candidates), candidates, rungs, HalvingLadder.seeds(folds));
        TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT, SPACE, candidates, OptionalInt.empty(), 3);
        TuningResult result = TuningResults.of(spec, ladder.baseCandidates(), folds, rungs,
            (candidate, config, after, fold, seed) -> candidate < 4 ? 1000 + after : candidate + after);
        assertTrue(result.epochs() <= folds * ladder.maxEpochs(), candidates + " candidates");
        assertTrue(candidates == 1 || ladder.maxEpochs() > ladder.withCandidates(candidates - 1).maxEpochs());
        if (candidates > 16) {
          assertEquals(folds * ladder.maxEpochs(), result.epochs(), candidates + " candidates");
        }
      }
    }
  }

  @Test
  void onlyBaseCandidatesNeedNoOtherSeeds() {
    TuningResult result = climb(3, 3, (candidate, config, rungs, fold, seed) -> 3 - candidate);
    assertEquals(List.of(2, 1, 0), candidates(result));
    assertTrue(result.trials().stream().allMatch(trial -> trial.seed() == 0));
  }
}
