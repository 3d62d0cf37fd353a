package dev.plumb.study;

import dev.plumb.json.JsonInput;
import dev.plumb.model.InvalidInputException;
import dev.plumb.study.Finding.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The notebook's five networks trained from many seeds, to test the five conclusions that it draws from one seed, and the same deep
 * networks with {@linkplain DepthCures changes that may let them learn}. A claim about the notebook held if it is true for
 * significantly more than half of the seeds: the 95 % interval of the proportion is above one half; the fifth compares medians.
 */
public final class DepthStudy {
  /** Name of the study for {@code plumb study}. */
  public static final String NAME = "depth";
  public static final int SEEDS = 1000;

  /** The specification of the notebook's networks, as in a user's file. */
  static final String NOTEBOOK = """
      { "name": "depth", "data": {"source": "notebook", "samples": 400}, "seed": 42, "initializer": "notebook",
        "loss": "mse", "optimizer": {"type": "sgd"}, "learningRate": 0.01, "epochs": 1000, "lossAtEpochs": [200],
        "networks": [
          {"name": "Model A - Shallow", "layers": [3,4,1], "activation": "relu"},
          {"name": "Model B - Medium", "layers": [3,6,6,1], "activation": "relu"},
          {"name": "Model C - Deep", "layers": [3,8,8,8,8,1], "activation": "relu"},
          {"name": "Model D - Very Deep (ReLU)", "layers": [3,8,8,8,8,8,8,8,8,1], "activation": "relu"},
          {"name": "Model D - Very Deep (Sigmoid)", "layers": [3,8,8,8,8,8,8,8,8,1], "activation": "sigmoid"} ] }
      """;

  private static final int A = 0;
  private static final int B = 1;
  private static final int C = 2;
  private static final int D = 3;
  private static final int D_SIGMOID = 4;
  private static final int MODELS = 5;
  private static final List<String> SHORT = List.of("A", "B", "C", "D relu", "D sigmoid");

  private static final int EARLY = 200;
  private static final double SLOW = 0.05;
  private static final double QUICK = 0.5;
  private static final double VANISHED = 100;

  private final StudyResult result;
  private final CellFigures figures;
  private final int early;
  private final int last;

  private DepthStudy(StudyResult result) {
    this.result = result;
    figures = new CellFigures(result);
    early = result.study().curveEpochs().indexOf(EARLY);
    last = result.study().curveEpochs().size() - 1;
  }

  public static Study study() {
    return DepthCures.addTo(Study.ofNetworks(StudySpecReader.parse(NOTEBOOK).spec(), SEEDS));
  }

  /** Returns the text of the study for a run file; it names every network, so that it changes when a network does. */
  public static String text() {
    Study study = study();
    String cures = study.cells().stream().skip(MODELS).map(cell -> "\"" + cell.name() + ", " + cell.initializer().key() + "\"")
        .collect(Collectors.joining(", "));
    String notebook = NOTEBOOK.strip();
    return notebook.substring(0, notebook.length() - 1) + ", \"cures\": [" + cures + "], \"limitFromCell\": "
        + study.seedLimit().fromCell() + ", \"maxSeeds\": " + study.seedLimit().maxSeeds() + " }\n";
  }

  /** Returns whether the text of a run file on the notebook's data is that of a depth study, of any version; others have a grid. */
  public static boolean isText(String text) {
    return !JsonInput.parse(text.getBytes(StandardCharsets.UTF_8)).has("grid");
  }

  /**
   * Returns the study of a run file's text.
   *
   * @throws InvalidInputException when it is that of another version of Plumb, whose networks differ
   */
  public static Study ofText(String text) {
    if (!text.equals(text())) {
      throw new InvalidInputException("this depth study has other networks than that of this version of Plumb; resume it with the"
          + " version that started it, or start a new one with plumb study " + NAME);
    }
    return study();
  }

  /** Returns the part of the result that is about the notebook's five networks. */
  public static StudyResult notebook(StudyResult result) {
    Study study = result.study().withFirstCells(MODELS);
    return new StudyResult(study, result.device(), result.setupSeconds(), Arrays.copyOf(result.rows(), study.trials()));
  }

  /** Returns findings about the five conclusions, in the notebook's order. */
  public static List<Finding> findings(StudyResult result) {
    DepthStudy of = new DepthStudy(result);
    return List.of(of.speed(), of.layers(), of.stability(), of.activation(), of.slowness());
  }

  private Finding speed() {
    Proportion slower = pairs(D, A, (one, other) -> one.losses()[early] > other.losses()[early]);
    Proportion lower = pairs(C, A, (one, other) -> one.finalLoss() < other.finalLoss());
    Proportion lowest = pairs(D, C, (one, other) -> one.finalLoss() < other.finalLoss());
    return new Finding("Deeper does not always reduce the loss faster.", slower.isMost() ? Verdict.HELD : Verdict.NOT,
        "After " + (EARLY - 1) + " epochs the loss of D relu is above that of A in " + slower + " of the seeds; medians: "
            + medians(row -> row.losses()[early], A, B, C, D) + ". At the end C is below A in " + lower + ", D relu below C in "
            + lowest + "; medians: " + medians(TrialRow::finalLoss, A, B, C, D) + ".");
  }

  private Finding layers() {
    List<String> parts = new ArrayList<>();
    int held = 0;
    List<Integer> deep = List.of(C, D, D_SIGMOID);
    for (int model : deep) {
      Proportion first = share(model, row -> row.normAt(0, 0) < row.normAt(0, row.gradientNorms().length - 2));
      Proportion end = share(model, row -> row.gradientNormFirst() < row.gradientNormLast());
      held += end.isMost() ? 1 : 0;
      parts.add(SHORT.get(model) + " in " + first + " in the first step, in " + end + " in the last one, where last over first is "
          + StudyFindings.spread(quartiles(model, row -> row.gradientNormLast() / row.gradientNormFirst())));
    }
    return new Finding("In deep models the first layer's gradient is smaller than the last hidden layer's.",
        held == deep.size() ? Verdict.HELD : held == 0 ? Verdict.NOT : Verdict.IN_PART,
        "The first layer's is the smaller one for " + String.join("; ", parts) + ".");
  }

  private Finding stability() {
    Proportion sigmoid = share(D_SIGMOID, figures::hasLearnedNothing);
    Proportion relu = share(D, figures::hasLearnedNothing);
    return new Finding("Training is not equally stable for all activations: very deep with sigmoid it fails to learn.",
        sigmoid.isMost() && sigmoid.low() > relu.high() ? Verdict.HELD : Verdict.NOT,
        String.format(Locale.ROOT, "D sigmoid ends within %.0f %% of the best constant's loss (%s) in %s of the seeds, D relu in %s; final"
            + " losses: ", 100 * (1 - CellFigures.NOTHING), StudyFindings.brief(figures.constantLoss()), sigmoid, relu)
            + medians(TrialRow::finalLoss, D, D_SIGMOID) + ". Diverged: D relu " + diverged(D) + ", D sigmoid " + diverged(D_SIGMOID)
            + ".");
  }

  private Finding activation() {
    Proportion better = pairs(D, D_SIGMOID, (one, other) -> one.finalLoss() < other.finalLoss());
    Quartiles sigmoid = quartiles(D_SIGMOID, row -> row.fallPerLayer(0));
    Quartiles relu = quartiles(D, row -> row.fallPerLayer(0));
    Proportion vanished = share(D_SIGMOID, row -> Math.pow(row.fallPerLayer(0), row.gradientNorms().length - 2) > VANISHED);
    Proportion vanishedRelu = share(D, row -> Math.pow(row.fallPerLayer(0), row.gradientNorms().length - 2) > VANISHED);
    return new Finding("In deep networks relu is more stable than sigmoid, whose gradients vanish on the way to the first layer.",
        !better.isMost() ? Verdict.NOT : vanished.isMost() && sigmoid.median() > relu.median() ? Verdict.HELD : Verdict.IN_PART,
        "In the first step each sigmoid layer divides the gradient norm by " + StudyFindings.spread(sigmoid) + ", each relu layer by "
            + StudyFindings.spread(relu) + "; in the last step by " + StudyFindings.spread(quartiles(D_SIGMOID, row -> row.fallPerLayer(last)))
            + " and " + StudyFindings.spread(quartiles(D, row -> row.fallPerLayer(last))) + ". Over the depth it falls by more than "
            + (int) VANISHED + " in " + vanished + " of D sigmoid and " + vanishedRelu + " of D relu. D relu ends below D sigmoid in "
            + better + ".");
  }

  /** First epoch after the target's mean is learned, which needs only the output's bias and no depth. */
  private Finding slowness() {
    List<String> before = new ArrayList<>();
    List<String> after = new ArrayList<>();
    boolean slow = false;
    boolean quick = false;
    for (int model = 0; model < MODELS; model++) {
      Quartiles lost = quartiles(model, row -> 1 - row.finalLoss() / row.losses()[early]);
      slow |= lost.median() < SLOW;
      quick |= lost.median() > QUICK;
      after.add(SHORT.get(model) + " " + StudyFindings.spread(lost));
      before.add(SHORT.get(model) + " " + StudyFindings.spread(quartiles(model, row -> 1 - row.losses()[early] / row.losses()[0])));
    }
    Proportion still = share(D_SIGMOID, row -> row.updateRatios()[0] < 1e-6);
    return new Finding("At the same learning rate some models improve very slowly.", slow && quick ? Verdict.HELD : Verdict.NOT,
        "Of the loss after " + (EARLY - 1) + " epochs this share is gone at the end: " + String.join(", ", after) + "; of the first loss,"
            + " after " + (EARLY - 1) + " epochs: " + String.join(", ", before)
            + ". At the end a step moves the first layer's weights by less than a millionth of themselves in " + still
            + " of D sigmoid.");
  }

  private Study.Cell cell(int model) {
    return result.study().cells().get(model);
  }

  private Proportion pairs(int model, int than, CellFigures.Comparison comparison) {
    return figures.pairs(cell(model), cell(than), comparison);
  }

  private Proportion share(int model, Predicate<TrialRow> property) {
    return figures.share(cell(model), property);
  }

  private Proportion diverged(int model) {
    return figures.diverged(cell(model));
  }

  private Quartiles quartiles(int model, ToDoubleFunction<TrialRow> figure) {
    return figures.quartiles(cell(model), figure);
  }

  private String medians(ToDoubleFunction<TrialRow> figure, int... models) {
    return String.join(", ", Arrays.stream(models)
        .mapToObj(model -> SHORT.get(model) + " " + StudyFindings.spread(quartiles(model, figure))).toList());
  }
}
