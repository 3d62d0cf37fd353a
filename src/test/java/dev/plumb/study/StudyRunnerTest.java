package dev.plumb.study;

import static dev.plumb.golden.Close.assertRelative;
import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.golden.Golden;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyRunnerTest {
  @Test
  void miniBatchesAndSeedsAreThoseOfAFewLinesOfNumpy(@TempDir Path folder) throws IOException {
    JsonNode golden = Golden.read("study-minibatch.json");
    Path file = Files.writeString(folder.resolve("spec.json"), golden.get("spec").toString());
    List<Run> runs = runs(run(StudySpecReader.read(file), golden.get("seeds").intValue()));
    assertEquals(golden.get("runs").size(), runs.size());
    for (int i = 0; i < runs.size(); i++) {
      JsonNode expected = golden.get("runs").get(i);
      Run run = runs.get(i);
      String what = run.name() + " of seed " + run.seed();
      assertEquals(expected.get("name").textValue(), run.name());
      assertEquals(expected.get("seed").longValue(), run.seed());
      assertEquals(expected.get("lossAtEpoch").size(), run.lossAtEpoch().size());
      run.lossAtEpoch().forEach((epoch, loss) ->
          assertRelative(what, expected.get("lossAtEpoch").get(epoch.toString()).doubleValue(), loss, 1e-12));
      assertRelative(what, expected.get("finalLoss").doubleValue(), run.finalLoss(), 1e-12);
      assertRelativeToLargest(what, Golden.flat(expected.get("gradNormPerLayer")), run.gradNormPerLayer(), 1e-12);
    }
  }

  @Test
  void firstOfManySeedsIsTheStudyWithOne() {
    StudySpec spec = small(0.05);
    List<Run> one = runs(run(spec, 1));
    List<Run> three = runs(run(spec, 3));
    assertEquals(6, three.size());
    for (int network = 0; network < 2; network++) {
      Run alone = one.get(network);
      Run first = three.get(network * 3);
      assertEquals(alone.seed(), first.seed());
      assertSameBits("norms", alone.gradNormPerLayer(), first.gradNormPerLayer());
      assertEquals(alone.finalLoss(), first.finalLoss());
      assertEquals(alone.lossAtEpoch(), first.lossAtEpoch());
      assertFalse(alone.finalLoss() == three.get(network * 3 + 1).finalLoss(), "other seeds should differ");
    }
  }

  /** The second of two seeds has masks of its own: those that it has when it comes first. */
  @Test
  void seedOfTheRunIsThatOfItsDropout() {
    StudySpec plain = small(0.02);
    StudySpec dropping = new StudySpec(plain.name(), plain.samples(), plain.seed(), plain.initializer(),
        plain.training().withDropout(new Dropout(0.3, 1000)), plain.shuffle(), plain.lossAtEpochs(), plain.networks());
    List<Run> two = runs(run(dropping, 2));
    List<Run> one = runs(run(dropping, 1));
    for (int network = 0; network < 2; network++) {
      assertEquals(one.get(network).finalLoss(), two.get(2 * network).finalLoss());
      assertNotEquals(runs(run(plain, 1)).get(network).finalLoss(), one.get(network).finalLoss());
    }
    assertEquals(Optional.of(new Dropout(0.3, 1)), dropping.training().dropout(), "whatever seed was given");
  }

  @Test
  void networksTrainedAtOnceAreTheSameToTheLastBit() {
    StudySpec spec = small(0.05);
    List<Integer> heard = new ArrayList<>();
    CpuOptions options = CpuOptions.standard();
    List<Run> alone = runs(new StudyRunner(new CpuBackend(options.withThreads(1), note -> { }), Study.ofList(spec, 1, List.of())).run());
    List<Run> atOnce =
        runs(new StudyRunner(new CpuBackend(options.withThreads(3), note -> { }), Study.ofList(spec, 1, List.of()))
            .run((group, epochs) -> heard.add(epochs)));
    for (int i = 0; i < 2; i++) {
      assertEquals(alone.get(i).name(), atOnce.get(i).name());
      assertEquals(alone.get(i).finalLoss(), atOnce.get(i).finalLoss());
      assertEquals(alone.get(i).lossAtEpoch(), atOnce.get(i).lossAtEpoch());
      assertSameBits("norms", alone.get(i).gradNormPerLayer(), atOnce.get(i).gradNormPerLayer());
    }
    assertTrue(heard.stream().allMatch(epochs -> epochs >= 0), "progress goes forward");
    assertEquals(4000, heard.stream().mapToInt(Integer::intValue).sum());
  }

  @Test
  void failureOfOneNetworkAmongSeveralAtOnceIsThatOfTheStudy() {
    StudyRunner runner = new StudyRunner(new HalfBroken(new ReferenceBackend()), Study.ofList(small(0.05), 1, List.of()));
    assertEquals("broken for this test", assertThrows(IllegalStateException.class, runner::run).getMessage());
  }

  @Test
  void lossesAskedForBesidesChangeNoOtherNumber() {
    for (OptionalInt batch : List.of(OptionalInt.empty(), OptionalInt.of(7))) {
      StudySpec all = small(0.05);
      TrainingSpec training = batch.isPresent() ? all.training().withBatchSize(batch.getAsInt()) : all.training();
      StudySpec spec = new StudySpec(
          all.name(), all.samples(), all.seed(), all.initializer(), training, true, all.lossAtEpochs(), all.networks());
      List<Run> plain = runs(run(spec, 2));
      List<Run> curves = runs(new StudyRunner(new ReferenceBackend(), Study.ofList(spec, 2, List.of(1, 50, 1999))).run());
      for (int i = 0; i < plain.size(); i++) {
        assertEquals(plain.get(i).finalLoss(), curves.get(i).finalLoss());
        assertSameBits("norms", plain.get(i).gradNormPerLayer(), curves.get(i).gradNormPerLayer());
        assertEquals(Set.of(1, 2, 50, 1999), curves.get(i).lossAtEpoch().keySet());
        assertEquals(plain.get(i).lossAtEpoch().get(2), curves.get(i).lossAtEpoch().get(2));
      }
    }
  }

  @Test
  void replicasShareTheTimeOfTheirTraining() {
    long start = System.nanoTime();
    StudyResult result = run(small(0.05), 20);
    double elapsed = (System.nanoTime() - start) / 1e9;
    double sum = result.setupSeconds() + runs(result).stream().mapToDouble(Run::trainSeconds).sum();
    assertTrue(sum > 0 && sum <= elapsed, "the parts add up to " + sum + " s of " + elapsed + " s");
  }

  @Test
  void divergingNetworksAreMarkedAndTheOthersUnharmed() {
    StudySpec wild = small(0.3);
    List<Run> runs = runs(run(wild, 1));
    Run diverged = runs.get(0);
    assertTrue(diverged.divergedAtEpoch().isPresent(), "a rate of 0.3 should be too much for three linear hidden layers");
    assertTrue(diverged.divergedAtEpoch().getAsInt() < wild.training().epochs());
    assertFalse(Double.isFinite(diverged.finalLoss()));
    assertTrue(runs.get(1).divergedAtEpoch().isEmpty(), "not too much for two sigmoids");
  }

  @Test
  void overflowInTheVeryLastUpdateIsNoticed() {
    // The only step is finite; what it leaves behind is not.
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 1e300, 1);
    StudySpec spec = new StudySpec("one step", 20, 1, Initializer.NOTEBOOK, training, true, List.of(),
        List.of(new StudyNetwork("linear", NetworkSpec.of(Activation.LINEAR, 3, 4, 1))));
    Run run = runs(run(spec, 1)).get(0);
    assertEquals(1, run.divergedAtEpoch().orElseThrow());
    assertTrue(Double.isNaN(run.finalLoss()));
  }

  @Test
  void networkWithoutHiddenLayerHasNoLastHiddenGradient() {
    StudySpec spec = new StudySpec("no hidden layer", 20, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3), true, List.of(),
        List.of(new StudyNetwork("linear", NetworkSpec.of(Activation.RELU, 3, 1))));
    assertTrue(Double.isNaN(run(spec, 1).rows()[0].gradientNormLast()));
  }

  @Test
  void whatCannotBeTrainedIsRefusedBeforeAnythingIs() {
    StudySpec spec = new StudySpec("misfit", 20, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 3), true, List.of(),
        List.of(new StudyNetwork("good", NetworkSpec.of(Activation.RELU, 3, 1)),
            new StudyNetwork("bad", NetworkSpec.of(Activation.RELU, 4, 1))));
    assertRefused("networks[1] \"bad\": the network has 4 inputs, but the data has 3 features", () -> run(spec, 1));
    assertRefused("seed 4294967296", () -> Study.ofList(small(0.1), 2, List.of()).withSeed(4294967295L));
    assertRefused("seeds 0", () -> run(small(0.1), 0));
  }

  /** Trains two networks at once, but none of two layers. */
  private record HalfBroken(Backend backend) implements Backend {
    @Override
    public DeviceInfo device() {
      return backend.device();
    }

    @Override
    public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
      return Optional.empty();
    }

    @Override
    public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
      if (network.layerCount() == 2) {
        throw new IllegalStateException("broken for this test");
      }
      return backend.open(network, training, replicas);
    }

    @Override
    public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
      return backend.numerics(network, training, rows);
    }

    @Override
    public int sessionsAtOnce(NetworkSpec network, TrainingSpec training, int replicas) {
      return 2;
    }

    @Override
    public void close() {
      backend.close();
    }
  }

  private static StudySpec small(double learningRate) {
    return new StudySpec("small", 20, 1, Initializer.NOTEBOOK,
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, learningRate, 2000), true, List.of(1, 2),
        List.of(new StudyNetwork("linear", NetworkSpec.of(Activation.LINEAR, 3, 8, 8, 8, 1)),
            new StudyNetwork("sigmoid", NetworkSpec.of(Activation.SIGMOID, 3, 2, 1))));
  }

  private static StudyResult run(StudySpec spec, int seeds) {
    return new StudyRunner(new ReferenceBackend(), Study.ofList(spec, seeds, List.of())).run();
  }

  /** A trial with the names and epochs of its study. */
  private record Run(String name, long seed, SortedMap<Integer, Double> lossAtEpoch, double finalLoss, double[] gradNormPerLayer,
      double trainSeconds, OptionalInt divergedAtEpoch) {}

  private static List<Run> runs(StudyResult result) {
    Study study = result.study();
    return Arrays.stream(result.rows()).map(row -> {
      SortedMap<Integer, Double> losses = new TreeMap<>();
      for (int i = 0; i < row.losses().length; i++) {
        losses.put(study.curveEpochs().get(i), row.losses()[i]);
      }
      return new Run(study.cellOf(row.trial()).name(), study.seedOf(row.trial()), losses, row.finalLoss(), row.gradientNorms(),
          row.seconds(), row.divergedAtEpoch());
    }).toList();
  }

  private static void assertRefused(String part, Runnable action) {
    String message = assertThrows(InvalidInputException.class, action::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
