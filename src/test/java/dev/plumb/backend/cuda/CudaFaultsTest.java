package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.device.CudaOptions.Execution;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Order;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever fails, wherever: one line, everything given back, and the next training is as if nothing had been. */
@Tag("cuda")
@Tag("host-device")
class CudaFaultsTest {
  private static final NetworkSpec NETWORK = NetworkSpec.of(Activation.TANH, 3, 4, 2);
  private static final TrainingSpec TRAINING = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, 0.01, 1);
  private static final Dataset DATA = RandomData.draw(7, NETWORK, Loss.MSE, new NumpyRandom(1));
  /** More events of a kind than a short training has. */
  private static final int MOST = 5000;

  @AfterEach
  void reset() {
    HostDevice.reset();
  }

  /** Every allocation, every driver call and so on in turn, until a training has fewer of them and goes through. */
  @ParameterizedTest(name = "{0}, {1}, {2}")
  @CsvSource({
    "MEMORY, GRAPH, LAYERED, DeviceMemoryException, memory, 8",
    "MEMORY, GRAPH, FUSED, DeviceMemoryException, memory, 8",
    "LOST, GRAPH, LAYERED, DeviceUnavailableException, lost, 100",
    "LOST, GRAPH, FUSED, DeviceUnavailableException, lost, 60",
    "LAUNCH, EAGER, LAYERED, DeviceFailedException, GPU failed, 24",
    "LAUNCH, GRAPH, LAYERED, DeviceFailedException, GPU failed, 24",
    "LAUNCH, GRAPH, FUSED, DeviceFailedException, GPU failed, 3",
    "GEMM, EAGER, LAYERED, DeviceFailedException, GPU failed, 10",
    "GEMM, GRAPH, LAYERED, DeviceFailedException, GPU failed, 10",
    "COPY, GRAPH, LAYERED, DeviceUnavailableException, lost, 15",
    "COPY, GRAPH, FUSED, DeviceUnavailableException, lost, 15",
  })
  void everyFaultIsOneLineAndLeaksNothing(
      Fault fault, Execution execution, Planner planner, String exception, String words, int least) {
    Set<String> messages = new TreeSet<>();
    int failed = 0;
    for (int n = 1; n <= MOST; n++) {
      RuntimeException thrown = trainWithFault(fault, n, execution, planner);
      assertEquals("", HostDevice.left(), "not released after " + fault + " " + n);
      if (thrown == null) {
        break;
      }
      failed++;
      assertEquals(exception, thrown.getClass().getSimpleName(), () -> fault + " gave " + thrown);
      String message = thrown.getMessage();
      messages.add(message);
      assertTrue(message.contains(words), message);
      assertFalse(message.contains("\n"), message);
      assertTrue(message.contains("while ") && message.contains(": "), message);
    }
    assertTrue(failed >= least && failed < MOST, fault + " failed " + failed + " times: " + messages);
    assertEquals(null, trainWithFault(Fault.NONE, 1, execution, planner), "afterwards all is well");
  }

  private static RuntimeException trainWithFault(Fault fault, int n, Execution execution, Planner planner) {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.quiet(true);
    HostDevice.fault(fault, n);
    try (CudaBackend backend = new CudaBackend(0, new CudaOptions(execution, true, planner, fault != Fault.GEMM));
        TrainingSession session = backend.open(NETWORK, TRAINING, 2)) {
      session.write(Slot.PARAMETERS, 1, Initializer.PYTORCH.draw(NETWORK, new NumpyRandom(2)));
      session.bind(DATA);
      session.run(StepChunk.of(3).learningRate(0.01).batches(new int[][] {{1, 2}, {3, 4}, null}).recordAll().build());
      session.sync();
      session.evaluate(DATA);
      return null;
    } catch (DeviceUnavailableException | DeviceFailedException e) {
      return e;
    } finally {
      HostDevice.fault(Fault.NONE, 1);
    }
  }

  @Test
  void checkedExecutionNamesTheLaunchThatFailed() {
    CudaUnderTest.open(Execution.CHECKED, Order.FORWARD).close();
    HostDevice.quiet(true);
    try (CudaBackend backend = new CudaBackend(0, new CudaOptions(Execution.CHECKED, true, Planner.LAYERED, true));
        TrainingSession session = backend.open(NETWORK, TRAINING, 1)) {
      session.bind(DATA);
      HostDevice.fault(Fault.LAUNCH, 3);
      session.run(StepChunk.of(1).learningRate(0.01).build());
      throw new AssertionError("nothing failed");
    } catch (DeviceFailedException e) {
      assertTrue(e.getMessage().contains("product_input_gradient_f64 (layer 1, linear)"), e.getMessage());
    }
  }

  @Test
  void sessionWhoseStepsFailedHalfwayTakesNoMore() {
    HostDevice.load();
    HostDevice.quiet(true);
    try (CudaBackend backend = new CudaBackend(0, new CudaOptions(Execution.EAGER, true, Planner.LAYERED, false));
        TrainingSession session = backend.open(NETWORK, TRAINING, 1)) {
      session.bind(DATA);
      StepChunk chunk = StepChunk.of(2).learningRate(0.01).build();
      HostDevice.fault(Fault.GEMM, 8);
      assertThrows(DeviceFailedException.class, () -> session.run(chunk));
      HostDevice.fault(Fault.NONE, 1);
      assertEquals("a step of this session failed; open a new session",
          assertThrows(IllegalStateException.class, () -> session.run(chunk)).getMessage());
    }
    assertEquals("", HostDevice.left());
  }

  @Test
  void cardThatIsNotThereIsNamed() {
    HostDevice.load();
    try (CudaBackend backend = new CudaBackend(7, CudaOptions.standard())) {
      throw new AssertionError("opened " + backend.device());
    } catch (DeviceUnavailableException e) {
      assertEquals("there is no device cuda:7, only cuda:0; `plumb devices` lists them", e.getMessage());
    }
  }
}
