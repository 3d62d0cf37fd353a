package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.study.TuningResult.Standing;
import dev.plumb.train.TrainConfig;
import java.util.List;
import java.util.OptionalInt;
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

  /**
   * Differences of candidate 1 to the base candidate, in four folds of standard deviation s. A standard error is
   * s·√(1/4 + 1/4) after the second seed, s·√(1/8 + 1/4) after the third.
   */
  private static TuningResult withDifferences(double gain, double deviation) {
    TuningSpec spec = new TuningSpec(TrainConfig.DEFAULT, SPACE, 2, OptionalInt.of(4), 1);
    double noise = deviation * Math.sqrt(3) / 2;
    return TuningResults.of(spec, 1, 4, List.of(10), (candidate, config, rungs, fold, seed) ->
        candidate == 0 ? 10 + fold : 10 + fold - gain + (fold % 2 == 0 ? noise : -noise));
  }

  @Test
  void candidateThatIsClearlyBetterWinsAfterTheSecondSeed() {
    TuningResult result = withDifferences(1, 0.49 * Math.sqrt(2));
    assertEquals(List.of(1, 0), candidates(result));
    assertEquals(List.of(1, 1), result.standings().stream().map(Standing::otherSeeds).toList());
  }

  @Test
  void candidateThatIsBetterByAStandardErrorWinsAfterTheThirdSeed() {
    TuningResult result = withDifferences(1, 0.51 * Math.sqrt(2));
    assertEquals(List.of(1, 0), candidates(result));
    assertEquals(List.of(2, 2), result.standings().stream().map(Standing::otherSeeds).toList());
  }

  @Test
  void baseCandidateWinsIfTheDifferenceIsWithinAStandardError() {
    // The standard deviation of eight values, four of them equal in pairs, is smaller by a factor of √(6/7).
    double error = Math.sqrt(6.0 / 7) * Math.sqrt(1.0 / 8 + 1.0 / 4);
    assertEquals(List.of(0, 1), candidates(withDifferences(1, 1.01 / error)));
    assertEquals(List.of(1, 0), candidates(withDifferences(1, 0.99 / error)));
  }

  @Test
  void baseCandidateThatIsBetterInTheSecondSeedWins() {
    TuningResult result = climb(2, 1, (candidate, config, rungs, fold, seed) -> candidate == 0 ? 10 : seed == 0 ? 9 : 11);
    assertEquals(List.of(0, 1), candidates(result));
    assertEquals(List.of(1, 1), result.standings().stream().map(Standing::otherSeeds).toList());
  }

  @Test
  void baseCandidatesAloneNeedNoOtherSeeds() {
    TuningResult result = climb(3, 3, (candidate, config, rungs, fold, seed) -> 3 - candidate);
    assertEquals(List.of(2, 1, 0), candidates(result));
    assertTrue(result.trials().stream().allMatch(trial -> trial.seed() == 0));
  }
}
