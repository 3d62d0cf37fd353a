package dev.plumb.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.OutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class NotebookDigitsTest {
  private static NotebookDigits.Result compare(JsonNode study) {
    return NotebookDigits.compare(study, new PrintStream(OutputStream.nullOutputStream()));
  }

  @Test
  void notebooksOwnFiguresHaveItsDigits() {
    assertEquals(new NotebookDigits.Result(20, 0, 0), compare(notebook()));
  }

  @Test
  void otherDigitMissingFigureAndOtherNetworkCount() {
    ObjectNode study = notebook();
    ObjectNode first = (ObjectNode) study.get("runs").get(0);
    first.put("finalLoss", first.get("finalLoss").doubleValue() + 1e-4);
    assertEquals(1, compare(study).different());
    first.putNull("gradNormFirst");
    assertEquals(new NotebookDigits.Result(20, 2, Double.POSITIVE_INFINITY), compare(study));
    ((ObjectNode) study.get("runs").get(4)).put("activation", "tanh");
    assertEquals(6, compare(study).different());
    assertEquals(20, compare(new ObjectMapper().createObjectNode()).different());
  }

  /** The expected figures, in the form of {@code plumb study --json}. */
  private static ObjectNode notebook() {
    ObjectNode study = new ObjectMapper().createObjectNode();
    ArrayNode runs = study.putArray("runs");
    for (JsonNode net : Golden.read("notebook-seed42.json").get("nets")) {
      ObjectNode run = runs.addObject();
      run.set("layers", net.get("layers"));
      run.set("activation", net.get("activation"));
      run.putObject("lossAtEpoch").set("200", net.get("lossAtEpoch").get("200"));
      run.set("finalLoss", net.get("finalLoss"));
      run.set("gradNormFirst", net.get("gradNormL1"));
      run.set("gradNormLast", net.get("gradNormLast"));
    }
    return study;
  }
}
