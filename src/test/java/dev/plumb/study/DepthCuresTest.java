package dev.plumb.study;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.study.DepthResults.Outcome;
import dev.plumb.study.Finding.Verdict;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DepthCuresTest {
  private static final NetworkSpec SIGMOID = NetworkSpec.of(Activation.SIGMOID, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);

  @Test
  void notebooksNetworksComeFirstAndAreNotTrainedTwice() {
    Study study = DepthStudy.study();
    List<StudyNetwork> notebook = StudySpec.notebook().networks();
    assertEquals(notebook.stream().map(StudyNetwork::name).toList(), study.cells().subList(0, 5).stream().map(Study.Cell::name).toList());
    assertEquals(notebook.stream().map(StudyNetwork::network).toList(),
        study.cells().subList(0, 5).stream().map(Study.Cell::network).toList());
    record Trained(NetworkSpec network, Initializer initializer) {}
    assertEquals(study.cells().size(),
        study.cells().stream().map(cell -> new Trained(cell.network(), cell.initializer())).distinct().count());
    assertEquals(study.cells().size(), study.cells().stream().map(Study.Cell::name).distinct().count());
    assertEquals(5 + 2 * 11 + 2 * 6 * 4 - 1, study.cells().size(), "relu with 4 hidden layers is the notebook's model C");
    assertTrue(study.cells().stream().allMatch(cell -> cell.learningRate() == 0.01));
    DepthCures cures = new DepthCures(DepthResults.cured(1));
    assertEquals(2, cures.cell(Activation.RELU, Cure.PLAIN, 4).index());
    assertEquals(3, cures.cell(Activation.RELU, Cure.PLAIN, 8).index());
    assertEquals(4, cures.cell(Activation.SIGMOID, Cure.PLAIN, 8).index());
  }

  @Test
  void curesChangeWhatTheyAreNamedAfter() {
    DepthCures cures = new DepthCures(DepthResults.cured(1));
    assertCell(SIGMOID, Initializer.ORTHOGONAL, cures.cell(Activation.SIGMOID, Cure.ORTHOGONAL, 8));
    assertCell(SIGMOID.withNormalization(Normalization.BATCH), Initializer.NOTEBOOK, cures.cell(Activation.SIGMOID, Cure.BATCH, 8));
    assertCell(SIGMOID.withNormalization(Normalization.LAYER), Initializer.NOTEBOOK, cures.cell(Activation.SIGMOID, Cure.LAYER, 8));
    assertCell(SIGMOID.withResidual(true), Initializer.NOTEBOOK, cures.cell(Activation.SIGMOID, Cure.RESIDUAL, 8));
    assertCell(SIGMOID.withNormalization(Normalization.LAYER).withResidual(true), Initializer.XAVIER_NORMAL,
        cures.cell(Activation.SIGMOID, Cure.LAYER_RESIDUAL, 8));
    assertCell(NetworkSpec.of(Activation.RELU, 3, 8, 8, 1).withNormalization(Normalization.BATCH).withResidual(true),
        Initializer.HE_NORMAL, cures.cell(Activation.RELU, Cure.BATCH_RESIDUAL, 2));
  }

  private static void assertCell(NetworkSpec network, Initializer initializer, Study.Cell cell) {
    assertEquals(network, cell.network());
    assertEquals(initializer, cell.initializer());
  }

  /** With more seeds than the limit and with fewer. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 100, 130})
  void everyCellHasTheSameFirstSeeds(int seeds) {
    Study study = DepthStudy.study().withSeeds(seeds);
    int trial = 0;
    for (Study.Cell cell : study.cells()) {
      assertEquals(cell.index() < 27 ? seeds : Math.min(seeds, 100), study.seedsOf(cell), cell.name());
      assertEquals(trial, study.firstTrial(cell));
      for (int seed = 0; seed < study.seedsOf(cell); seed++, trial++) {
        assertEquals(cell, study.cellOf(trial));
        assertEquals(42 + seed, study.seedOf(trial));
      }
    }
    assertEquals(trial, study.trials());
  }

  /** Trains one network from its third seed, as part of the study and as a listed one. */
  @Test
  void networkOfTheStudyIsTheNetworkTrainedAlone() {
    StudySpec spec = StudySpecReader.parse("{\"epochs\": 3, \"initializer\": \"notebook\", \"lossAtEpochs\": [2], \"networks\":"
        + " [{\"layers\": [3,8,8,1], \"activation\": \"sigmoid\"}]}").spec();
    TrialRow alone = new StudyRunner(new ReferenceBackend(), Study.ofNetworks(spec, 3)).run().rows()[2];
    Study study = DepthCures.addTo(Study.ofNetworks(spec, 130));
    Study.Cell cell = study.cells().stream().filter(of -> of.name().equals("3-8-8-1 sigmoid, batch normalization")).findFirst()
        .orElseThrow();
    assertEquals(100, study.seedsOf(cell));
    TrialRow batch = train(study, study.firstTrial(cell) + 2);
    assertTrue(Double.isFinite(batch.finalLoss()) && batch.finalLoss() != alone.finalLoss());
    TrialRow plain = train(study, 2);
    assertEquals(alone.finalLoss(), plain.finalLoss());
    assertSameBits("norms", alone.gradientNorms(), plain.gradientNorms());
  }

  private static TrialRow train(Study study, int trial) {
    BitSet done = new BitSet();
    done.set(0, study.trials());
    done.clear(trial);
    TrialRow[] rows = new TrialRow[1];
    new StudyRunner(new ReferenceBackend(), study).run(done, finished -> rows[0] = finished.get(0));
    assertEquals(trial, rows[0].trial());
    return rows[0];
  }

  @Test
  void textOfTheStudyNamesEveryNetworkAndOthersAreRefused() {
    assertEquals(DepthStudy.study(), DepthStudy.ofText(DepthStudy.text()));
    assertTrue(DepthStudy.text().contains("\"3-32x8-1 relu, residual connections, notebook\""), DepthStudy.text());
    for (String other : List.of(DepthStudy.NOTEBOOK, DepthStudy.text().replace("orthogonal", "diagonal"),
        DepthStudy.text().replace("\"maxSeeds\": 100", "\"maxSeeds\": 50"))) {
      assertTrue(DepthStudy.isText(other));
      String said = assertThrows(InvalidInputException.class, () -> DepthStudy.ofText(other)).getMessage();
      assertTrue(said.startsWith("this depth study has other networks than that of this version of Plumb; "), said);
    }
    assertFalse(DepthStudy.isText("{\"grid\": {}}"));
  }

  @Test
  void notebooksPartIsThatOfTheFirstFiveCells() {
    StudyResult whole = DepthResults.cured(130);
    StudyResult notebook = DepthStudy.notebook(whole);
    assertEquals(5, notebook.study().cells().size());
    assertEquals(5 * 130, notebook.rows().length);
    assertEquals(DepthStudy.findings(whole), DepthStudy.findings(notebook));
  }

  @Test
  void verdictsFollowFromTheIntervals() {
    List<Finding> findings = new DepthCures(DepthResults.cured(130)).findings();
    assertFinding(findings.get(0), "With another initializer, the very deep sigmoid network learns.", Verdict.NOT,
        "A network has learned if its final loss is below 0.95 of the best constant's loss (1.74). D sigmoid learns in this proportion of the seeds: xavier_uniform"
            + " 0.0 % (0.0 to 2.9 %), xavier_normal 0.0 %", "plain 4 [4, 4].");
    assertFinding(findings.get(1), "With batch normalization, the very deep sigmoid network learns.", Verdict.HELD,
        "D sigmoid learns in 100.0 % (97.1 to 100.0 %) of the seeds, plain in 0.0 % (0.0 to 2.9 %). Its final loss is ",
        "plain 1.74 [1.74, 1.74]; it ends below plain in 100.0 % (97.1 to 100.0 %). In the first step each layer divides the gradient"
            + " norm by 1.5 [1.5, 1.5], plain by 4 [4, 4]; the factor is smaller than plain's in 100.0 % (97.1 to 100.0 %). In the last"
            + " step it is 1 [1, 1], plain 2 [2, 2].");
    assertFalse(findings.get(1).measured().contains("Diverged"));
    // 26 of 130 diverged.
    assertFinding(findings.get(3), "With residual connections, the very deep sigmoid network learns.", Verdict.HELD,
        "D sigmoid learns in 80.0 % (72.3 to 86.0 %) of the seeds", " Diverged: 20.0 % (14.0 to 27.7 %).");
    assertTrue(findings.get(7).measured().endsWith(" Diverged: residual connections 20.0 % (14.0 to 27.7 %)."),
        findings.get(7).measured());
    assertFinding(findings.get(8), "Plain or with a cure, sigmoid networks of 32 hidden layers learn.", Verdict.HELD,
        "Of 2, 4, 8, 16, 32 hidden layers, networks learn in significantly more than half of the seeds with: plain none, xavier_normal"
            + " none, batch normalization up to 32, layer normalization up to 32, residual connections up to 8, batch normalization and"
            + " residual connections up to 32. Networks that are not among", "are trained from the first 100 of the 130 seeds.");
    assertFinding(findings.get(9), "Plain or with a cure, relu networks of 32 hidden layers learn.", Verdict.HELD,
        "with: plain up to 8, he_normal up to 8, ");
    assertEquals(11, findings.size());
  }

  /** The longest text that the command prints has 1000 characters. */
  @Test
  void findingsAreShortEnoughToBePrinted() {
    StudyResult result = DepthResults.of(1000, (cell, seed) -> new Outcome(
        seed * 7 % 10 < 3 ? Double.NaN : 0.0001234 * (1 + seed * 13 % 11), 4.56 + 0.01 * (seed % 3), 0.0123 * (1 + seed % 3)));
    for (Finding finding : new DepthCures(result).findings()) {
      assertTrue(finding.measured().length() <= 1000, finding.measured().length() + ": " + finding.measured());
    }
  }

  @Test
  void depthsWithWhichNetworksDivergeAreNamed() {
    List<Finding> findings = new DepthCures(DepthResults.of(20, (cell, seed) -> new Outcome(
        cell.network().residual() && cell.network().layerCount() > 9 ? Double.NaN : 0.1, 1, 1))).findings();
    assertFinding(findings.get(9), "Plain or with a cure, relu networks of 32 hidden layers learn.", Verdict.HELD,
        "residual connections up to 8, batch", "They diverge in significantly more than half of the seeds with: residual connections 16"
            + " and 32, batch normalization and residual connections 16 and 32.");
  }

  /** Ten seeds: 7 are not significantly more than half, and 3 not significantly more than none. */
  @Test
  void differencesWithinTheIntervalsAreNone() {
    List<Finding> findings = new DepthCures(DepthResults.of(10, (cell, seed) -> new Outcome(
        seed < (cell.network().normalization() == Normalization.BATCH ? 7 : cell.network().residual() ? 3 : 0) ? 0.1
            : cell.initializer() == Initializer.ORTHOGONAL ? 1.75 : 1.74, 3, 3))).findings();
    assertEquals(Verdict.IN_PART, findings.get(1).verdict());
    assertEquals(Verdict.NOT, findings.get(3).verdict(), findings.get(3).measured());
    assertFinding(findings.get(8), "Plain or with a cure, sigmoid networks of 32 hidden layers learn.", Verdict.NOT, "plain none, ");
    assertFalse(findings.get(8).measured().contains("trained from the first"));
  }

  @Test
  void curesOfReluAreGroupedByTheirSignificance() {
    List<Finding> findings = new DepthCures(DepthResults.of(40, (cell, seed) -> new Outcome(
        cell.network().normalization() == Normalization.BATCH ? 0.1 : cell.initializer() == Initializer.PYTORCH ? 0.9
            : cell.network().residual() && seed % 2 == 0 ? 0.4 : cell.network().residual() ? 0.6 : 0.5, 1, 1))).findings();
    String half = "50.0 % (35.2 to 64.8 %)";
    assertFinding(findings.get(6), "Every other initializer lowers the final loss of the very deep relu network.", Verdict.NOT,
        "The final loss of D relu, plain, is 0.5 [0.5, 0.5]. It is lower in significantly less than half of the seeds with"
            + " xavier_uniform (0.0 % (0.0 to 8.8 %), final loss 0.5 [0.5, 0.5]), ");
    assertFinding(findings.get(7), "Normalization and residual connections also lower the final loss of the very deep relu network.",
        Verdict.IN_PART, "The final loss of D relu, plain, is 0.5 [0.5, 0.5]. It is lower in significantly more than half of the seeds"
            + " with batch normalization (100.0 % (91.2 to 100.0 %), final loss 0.1 [0.1, 0.1]), batch normalization and residual"
            + " connections (100.0 %", "There is no significant difference with residual connections (" + half
            + ", final loss 0.5 [0.4, 0.6])");
    assertFinding(findings.get(10), "Lowest final losses", Verdict.MEASURED, "with sigmoid, 0.1 [0.1, 0.1] (batch normalization); with"
        + " relu 0.1 [0.1, 0.1] (batch normalization). This sigmoid network ends below plain relu in 100.0 % (91.2 to 100.0 %) of the"
        + " seeds, and below this relu network in 0.0 % (0.0 to 8.8 %).");
  }

  private static void assertFinding(Finding finding, String claim, Verdict verdict, String... parts) {
    assertEquals(claim, finding.claim());
    assertEquals(verdict, finding.verdict(), finding.measured());
    for (String part : parts) {
      assertTrue(finding.measured().contains(part), finding.measured());
    }
  }
}
