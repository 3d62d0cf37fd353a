package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class ResultLedgerTest {
  private final ResultLedger ledger = new ResultLedger();

  @Test
  void secondResultWithOtherBitsIsReportedOnlyUnderTheSameNumerics() {
    assertEquals(Optional.empty(), ledger.add("job 1, group 1", "a", "executor 0", "x"));
    assertEquals(Optional.empty(), ledger.add("job 1, group 1", "a", "executor 1", "x"));
    assertEquals(Optional.empty(), ledger.add("job 1, group 1", "b", "executor 2", "y"));
    assertEquals(Optional.empty(), ledger.add("job 1, group 2", "a", "executor 3", "y"));
    String message = ledger.add("job 1, group 1", "a", "executor 4", "y").orElseThrow();
    assertTrue(message.startsWith("the results of a group differ between executor 0 and executor 4 although"), message);
    assertTrue(ledger.add("job 1, group 1", "b", "executor 4", "x").orElseThrow().contains("executor 2 and executor 4"));
  }
}
