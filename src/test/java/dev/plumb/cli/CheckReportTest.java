package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.check.GradientCheck;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CheckReportTest {
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 2, 1);
  private static final ParameterLayout LAYOUT = ParameterLayout.of(NETWORK);

  private static final GradientCheck GOOD = new GradientCheck(LAYOUT.weight(1), 2, 0, 1, 0.5, 0.50000001, 0.02);
  private static final GradientCheck WRONG = new GradientCheck(LAYOUT.weight(0), 5, 1, 4, 0.25, -0.25, 1234.56);
  private static final GradientCheck NOTHING =
      new GradientCheck(LAYOUT.bias(0), 0, 2, -1, Double.NaN, Double.NaN, -1);

  @Test
  void reportWithoutErrorsHasNoFault() {
    CheckReport report = report(GOOD, GOOD);
    assertEquals(Optional.empty(), report.fault());
    assertEquals(4, report.compared());
  }

  @Test
  void firstWrongTensorIsNamedWithLayerIndexAndBothValues() {
    assertEquals(Optional.of("after 10 steps, layer 0, layers.0.weight[1,1]: gradient 0.25, finite difference -0.25, "
        + "error 1234.6 times the tolerance"), report(GOOD, WRONG, NOTHING).fault());
  }

  @Test
  void uncheckedTensorIsAFault() {
    assertTrue(report(GOOD, NOTHING).fault().orElseThrow().contains("layers.0.bias: every finite difference crosses a kink"));
  }

  @Test
  void tableHasOneLinePerTensor() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report(GOOD, WRONG, NOTHING).print(new PrintStream(out, true, StandardCharsets.UTF_8));
    List<String> lines = out.toString(StandardCharsets.UTF_8).lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
    assertEquals(List.of(
        "step tensor shape compared skipped max error index error/tolerance verdict",
        "10 layers.1.weight 1x2 2 0 1.0e-08 [0,1] 0.0200 ok",
        "10 layers.0.weight 2x3 5 1 5.0e-01 [1,1] 1234.5600 WRONG",
        "10 layers.0.bias 2 0 2 - - - not checked"), lines);
  }

  @Test
  void jsonHasTheSameValues() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report(GOOD, WRONG).write(new DeviceInfo(DeviceInfo.Kind.CPU, "some"), NETWORK,
        TrainingSpec.of(Loss.HUBER, OptimizerSpec.Sgd.DEFAULT, 0.01, 1), Optional.empty(), out);
    JsonNode json = new ObjectMapper().readTree(out.toByteArray());
    assertEquals(false, json.get("ok").booleanValue());
    assertEquals("cpu", json.get("device").get("kind").textValue());
    assertEquals(true, json.get("tensors").get(0).get("ok").booleanValue());
    assertEquals(false, json.get("tensors").get(1).get("ok").booleanValue());
    assertEquals(4, json.get("tensors").get(1).get("worstIndex").intValue());
    assertEquals(-0.25, json.get("tensors").get(1).get("finiteDifference").doubleValue());
  }

  private static CheckReport report(GradientCheck... tensors) {
    CheckReport report = new CheckReport();
    report.add(10, List.of(tensors));
    return report;
  }
}
