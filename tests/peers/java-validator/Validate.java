import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.npm.NpmPackage;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;

/**
 * Judges JSON files by the HL7 reference validator's engine (R4), offline: {@code r4 files [--package X.tgz]... FILE...}.
 *
 * <p>Prints one line of JSON for each file: {@code {"id": FILE, "throw": null, "issues": [...]}}. References that leave a
 * file are not followed, codes of systems that no package holds give warnings, best practices are not asked for.
 */
public class Validate {

    /** Resolves nothing beyond the file: there is no network. URLs count as resolvable, or each would be an issue. */
    static class Offline implements IValidatorResourceFetcher {
        public Element fetch(IResourceValidator validator, Object context, String url) {
            return null;
        }

        public boolean resolveURL(
                IResourceValidator validator, Object context, String path, String url,
                IWorkerContext.VersionResolutionRules rules, String type, boolean canonical, List<CanonicalType> targets) {
            return true;
        }

        public byte[] fetchRaw(IResourceValidator validator, String source) {
            return new byte[0];
        }

        public IValidatorResourceFetcher setLocale(Locale locale) {
            return this;
        }

        public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object context, String url) {
            return null;
        }

        public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
            return false;
        }

        public Set<IValidatorResourceFetcher.ResourceVersionInformation> fetchCanonicalResourceVersions(
                IResourceValidator validator, Object context, String url) {
            return Set.of();
        }
    }

    static ValidationEngine engine() throws Exception {
        var engine = new ValidationEngine.ValidationEngineBuilder()
                .withVersion("4.0.1").withThoVersion("5.1.0").withExtensionsVersion("1.0.0")
                .withNoTerminologyServer().withCanRunWithoutTerminologyServer(true)
                .fromSource("hl7.fhir.r4.core#4.0.1");
        for (var id : List.of("hl7.terminology.r4#5.1.0", "hl7.fhir.uv.extensions.r4#1.0.0")) {
            engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), id, false);
        }
        // Else codes that are met before the first expansion fail.
        engine.getContext().setNoTerminologyServer(true);
        return engine;
    }

    /** Loads a package; what it depends on is there already, or can't be had offline. */
    static void load(ValidationEngine engine, String file) throws Exception {
        try (InputStream stream = new FileInputStream(file)) {
            var archive = NpmPackage.fromPackage(stream);
            archive.getNpm().remove("dependencies");
            engine.getIgLoader().loadPackage(archive, true);
        }
    }

    static JsonObject judge(ValidationEngine engine, String file) {
        var messages = new ArrayList<ValidationMessage>();
        var verdict = new JsonObject();
        verdict.addProperty("id", file);
        try (InputStream stream = Files.newInputStream(Path.of(file))) {
            var validator = engine.getValidator(FhirFormat.JSON);
            validator.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
            validator.getSettings().setUseValueSetDisplays(true);
            validator.getSettings().setLanguages(null);
            validator.setWantCheckSnapshotUnchanged(true);
            validator.setAllowExamples(true);
            validator.setFetcher(new Offline());
            validator.setPolicyAdvisor(
                    new BasePolicyAdvisorForFullValidation(ReferenceValidationPolicy.IGNORE, new HashSet<>()));
            validator.validate(null, messages, stream, FhirFormat.JSON, new ArrayList<StructureDefinition>());
            verdict.addProperty("throw", (String) null);
        } catch (Throwable thrown) {
            verdict.addProperty("throw", thrown.toString());
        }
        var issues = new JsonArray();
        for (var message : messages) {
            var issue = new JsonObject();
            issue.addProperty("severity", message.getLevel().toCode());
            issue.addProperty("id", message.getMessageId());
            issue.addProperty("expression", message.getLocation());
            issue.addProperty("text", message.getMessage());
            issues.add(issue);
        }
        verdict.add("issues", issues);
        return verdict;
    }

    public static void main(String[] arguments) throws Exception {
        var verdicts = System.out;
        System.setOut(System.err); // The engine talks on stdout.
        if (arguments.length < 3 || !arguments[0].equals("r4") || !arguments[1].equals("files")) {
            System.err.println("usage: run r4 files [--package X.tgz]... FILE...");
            System.exit(2);
        }
        var engine = engine();
        for (int at = 2; at < arguments.length; at++) {
            if (arguments[at].equals("--package")) {
                load(engine, arguments[++at]);
            } else {
                verdicts.println(judge(engine, arguments[at]));
                verdicts.flush();
            }
        }
        System.exit(0); // Threads of the engine would keep it.
    }
}
