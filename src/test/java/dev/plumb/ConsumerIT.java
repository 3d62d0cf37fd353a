package dev.plumb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.cli.Ran;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Maven project that depends on Plumb only, built and run without a network: the installed POM names all that a program with a few
 * lines of Plumb needs. Runs after the jar was packaged.
 */
class ConsumerIT {
  private static final String PROGRAM = """
      import dev.plumb.Model;
      import dev.plumb.Plumb;
      import dev.plumb.data.TableSplit;
      import dev.plumb.train.Predictions;
      import dev.plumb.train.TrainConfig;
      import java.nio.file.Path;

      public class Consumer {
        public static void main(String[] args) {
          TableSplit split = Plumb.read(Path.of(args[0])).split(0.2, 1);
          Model model = Plumb.train(split.train(), TrainConfig.DEFAULT.with(c -> c.hidden(64, 64).epochs(30).seed(7)));
          Predictions predictions = model.predict(split.test());
          System.out.println(predictions.rows() + " " + predictions.className(0) + " " + predictions.className(predictions.rows() - 1));
        }
      }
      """;

  /** Builds with the plugins of Plumb's own build, in the same versions: the local repository has them. */
  private static final String POM = """
      <project xmlns="http://maven.apache.org/POM/4.0.0">
        <modelVersion>4.0.0</modelVersion>
        <groupId>example</groupId>
        <artifactId>consumer</artifactId>
        <version>1</version>
        <properties>
          <maven.compiler.release>17</maven.compiler.release>
          <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
        </properties>
        <dependencies>
          <dependency>
            <groupId>dev.plumb</groupId>
            <artifactId>plumb</artifactId>
            <version>%s</version>
          </dependency>
        </dependencies>
        <build>
          <plugins>
            <plugin>
              <artifactId>maven-resources-plugin</artifactId>
              <version>%s</version>
            </plugin>
            <plugin>
              <artifactId>maven-compiler-plugin</artifactId>
              <version>%s</version>
            </plugin>
            <plugin>
              <artifactId>maven-antrun-plugin</artifactId>
              <version>%s</version>
              <executions>
                <execution>
                  <phase>compile</phase>
                  <goals>
                    <goal>run</goal>
                  </goals>
                  <configuration>
                    <target>
                      <pathconvert property="path" refid="maven.runtime.classpath" pathsep="${line.separator}"/>
                      <echo file="target/classpath" message="${path}"/>
                    </target>
                  </configuration>
                </execution>
              </executions>
            </plugin>
          </plugins>
        </build>
      </project>
      """;

  /** Third-party artifacts come from the local repository of the build that runs this test, as if it were a remote one. */
  private static final String SETTINGS = """
      <settings>
        <mirrors>
          <mirror>
            <id>outer-build</id>
            <mirrorOf>*</mirrorOf>
            <url>%s</url>
          </mirror>
        </mirrors>
      </settings>
      """;

  private static final Path ROOT = Path.of("").toAbsolutePath();
  private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

  @TempDir private static Path folder;
  private static List<String> classPath;
  private static Path table;

  @BeforeAll
  static void installPlumbAndBuildConsumer() throws Exception {
    Path installed = Files.createDirectories(folder.resolve("repository/dev/plumb/plumb").resolve(Version.CURRENT));
    Files.copy(ROOT.resolve("pom.xml"), installed.resolve("plumb-" + Version.CURRENT + ".pom"));
    Files.copy(ROOT.resolve("target/plumb.jar"), installed.resolve("plumb-" + Version.CURRENT + ".jar"));
    String outerPom = Files.readString(ROOT.resolve("pom.xml"));
    Files.writeString(folder.resolve("pom.xml"), POM.formatted(Version.CURRENT, pluginVersion(outerPom, "maven-resources-plugin"),
        pluginVersion(outerPom, "maven-compiler-plugin"), pluginVersion(outerPom, "maven-antrun-plugin")));
    // Set by the plugin that runs this test.
    Path repository = Path.of(property("localRepository"));
    Files.writeString(folder.resolve("settings.xml"), SETTINGS.formatted(repository.toUri()));
    Files.writeString(Files.createDirectories(folder.resolve("src/main/java")).resolve("Consumer.java"), PROGRAM);
    table = Files.writeString(folder.resolve("table.csv"), tableOfTwoClasses());
    Ran built = Ran.of(folder, Map.of("JAVA_HOME", System.getProperty("java.home")), property("plumb.test.maven"),
        "-B", "-q", "-o", "-Daether.offline.protocols=file", "-s", "settings.xml", "-Dmaven.repo.local=" + folder.resolve("repository"),
        "compile");
    assertEquals(0, built.code(), built.out() + built.err());
    classPath = Files.readAllLines(folder.resolve("target/classpath"));
  }

  @Test
  void runsOnTheClassPath() throws Exception {
    assertPredicts(Ran.of(folder, Map.of(), JAVA, "-cp", String.join(File.pathSeparator, classPath), "Consumer", table.toString()));
  }

  /** Plumb's module has a stable name and no descriptor, so that its dependencies have to be added as modules, too. */
  @Test
  void runsWithPlumbAsAModule() throws Exception {
    String classes = folder.resolve("target/classes").toString();
    String modules = String.join(File.pathSeparator, classPath.stream().filter(entry -> !entry.equals(classes)).toList());
    assertPredicts(Ran.of(folder, Map.of(), JAVA, "--module-path", modules, "--add-modules", "ALL-MODULE-PATH", "-cp", classes,
        "Consumer", table.toString()));
  }

  @Test
  void dependsOnNativesOfOnePlatformAndOnNothingOfTheTests() {
    List<String> names = classPath.stream().map(entry -> Path.of(entry).getFileName().toString()).toList();
    for (String natives : List.of("openblas", "javacpp", "jcuda-natives", "jcublas-natives")) {
      assertEquals(List.of("linux-x86_64.jar"),
          names.stream().filter(name -> name.matches(natives + "-.*-(linux|windows|macosx)-.*"))
              .map(name -> name.replaceAll(".*-(?=\\w+-\\w+\\.jar$)", "")).toList(), names.toString());
    }
    assertTrue(names.stream().noneMatch(name -> name.matches("(junit|onnxruntime|jackson-databind).*")), names.toString());
  }

  private static void assertPredicts(Ran ran) {
    assertEquals("12 low high\n", ran.out(), ran.err());
    assertEquals(0, ran.code(), ran.err());
  }

  private static String tableOfTwoClasses() {
    StringBuilder csv = new StringBuilder("x,y,class\n");
    for (int i = 0; i < 60; i++) {
      csv.append(i).append(',').append(i * 7 % 11).append(',').append(i < 30 ? "low" : "high").append('\n');
    }
    return csv.toString();
  }

  private static String pluginVersion(String pom, String plugin) {
    String start = "<artifactId>" + plugin + "</artifactId>";
    return pom.split(start, 2)[1].split("</?version>", 3)[1];
  }

  private static String property(String name) {
    String value = System.getProperty(name);
    assertNotNull(value, "the build sets the property " + name);
    return value;
  }
}
