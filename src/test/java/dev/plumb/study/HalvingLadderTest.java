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
        candidate == 1 && seed == 2 ? Double.NaN : candidate == 1 ? 0 : 1 + candidate);
    assertEquals(0, candidates(result).get(0));
    assertEquals(1, candidates(result).get(5));
    assertTrue(standing(result, 1).isDiverged());
    assertTrue(result.isFinalist(standing(result, 1)));
    assertFalse(result.isFinalist(standing(result, 5)));
  }

  @Test
  void bestBaseCandidateIsAFinalist() {
    TuningResult result = climb(12, 4, (candidate, config, rungs, fold, seed) -> candidate < 4 ? 100 - candidate : candidate + rungs);
    assertEquals(List.of(4, 5, 6, 3), candidates(result).subList(0, 4));
    assertTrue(result.isFinalist(standing(result, 3)));
    assertFalse(result.isFinalist(standing(result, 2)));
    assertEquals(2, standing(result, 0).lastRung(), "base candidates advance whatever their rank");
  }
}
