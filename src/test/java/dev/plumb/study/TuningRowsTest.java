package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.plumb.data.Table;
import dev.plumb.model.Precision;
import dev.plumb.train.TrainConfig;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TuningRowsTest {
  private static final Table IRIS = TuningTest.table("iris");

  /** Finalists are judged by other folds for each seed; held-out rows stay the same. */
  @Test
  void seedsHaveTheirOwnFolds() {
    TuningRows folds = rows(IRIS, 0);
    assertEquals(0.25, folds.judgingShare());
    assertEquals(5, folds.folds());
    for (int seed = 0; seed < 2; seed++) {
      int current = seed;
      assertEquals(150, IntStream.range(0, 5).map(fold -> folds.part(fold, current).judging().rows()).sum());
    }
    assertFalse(lengths(folds.part(0, 0).judging()).equals(lengths(folds.part(0, 1).judging())));
    TuningRows heldOut = rows(IRIS, 0.2);
    assertSame(heldOut.part(0, 0), heldOut.part(0, 2));
    assertEquals(0.25, heldOut.judgingShare());
  }

  private static List<Double> lengths(Table table) {
    return IntStream.range(0, table.rows()).mapToObj(row -> table.column("petal_length").number(row)).toList();
  }

  private static TuningRows rows(Table table, double validation) {
    TrainConfig config = validation == 0 ? TuningTest.BASE : TuningTest.BASE.with(changes -> changes.validation(validation));
    TrainConfig base = config.with(changes -> changes.columns(config.columns().resolve(table)).validation(0));
    return new TuningRows(table, TuningTest.spec(config, 1, 0), base, Precision.FP64);
  }
}
