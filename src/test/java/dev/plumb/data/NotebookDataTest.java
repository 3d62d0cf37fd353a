package dev.plumb.data;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.golden.Golden;
import dev.plumb.random.NumpyRandom;
import org.junit.jupiter.api.Test;

class NotebookDataTest {
  @Test
  void matchesTheNotebook() {
    JsonNode golden = Golden.read("notebook-seed42.json").get("data");
    Dataset data = NotebookData.draw(400, new NumpyRandom(42));
    double[] first = {data.feature(0, 0), data.feature(0, 1), data.feature(0, 2)};
    double[] targets = {data.target(0, 0), data.target(1, 0), data.target(2, 0), data.target(3, 0)};
    assertRelativeToLargest("x", Golden.flat(golden.get("xFirstSample")), first, 0);
    assertRelativeToLargest("y", Golden.flat(golden.get("yFirst4")), targets, 1e-15);
    double xSum = 0;
    double ySum = 0;
    for (int row = 0; row < 400; row++) {
      for (int column = 0; column < 3; column++) {
        xSum += data.feature(row, column);
      }
      ySum += data.target(row, 0);
    }
    assertEquals(golden.get("xSum").doubleValue(), xSum, 1e-11);
    assertEquals(golden.get("ySum").doubleValue(), ySum, 1e-11);
  }
}
