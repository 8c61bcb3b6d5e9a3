//! The techniques of IPT and DIT that a record can name; an unknown one is an error, never a new code.

use super::code::codes;

codes! {
    /// A therapeutic technique.
    pub enum Technique {
        /// Explaining the illness, the model and the course of therapy.
        Psychoeducation = "psychoeducation", "Psychoeducation";
        /// Reviewing the client's current and past relationships.
        InterpersonalInventory = "interpersonal-inventory", "Interpersonal inventory";
        /// Agreeing on goals that can be observed.
        GoalSetting = "goal-setting", "Goal setting";
        /// Facilitating mourning after a death or another loss.
        GriefWork = "grief-work", "Grief work";
        /// Examining and reframing negative thoughts.
        CognitiveRestructuring = "cognitive-restructuring", "Cognitive restructuring";
        /// Finding out how the client fares in social situations.
        SocialSkillsAssessment = "social-skills-assessment", "Social skills assessment";
        /// Practising social skills step by step.
        SocialSkillsTraining = "social-skills-training", "Social skills training";
        /// Trying out an interaction in the session.
        RolePlay = "role-play", "Role play";
        /// Building and using a network of support.
        SupportNetwork = "support-network", "Support network building";
        /// Helping the client to notice, accept and express feelings.
        EncouragementOfAffect = "encouragement-of-affect", "Encouragement of affect";
        /// Learning ways to cope with distress.
        CopingSkills = "coping-skills", "Coping skills";
        /// Practising mindfulness.
        Mindfulness = "mindfulness", "Mindfulness";
        /// Taking stock of what has been reached.
        ProgressReview = "progress-review", "Progress review";
        /// Recognizing early warning signs and planning for them.
        RelapsePrevention = "relapse-prevention", "Relapse prevention";
        /// Finding and weighing ways out of an interpersonal problem.
        ProblemSolving = "problem-solving", "Problem solving";
        /// Working on mending an estranged or strained relationship.
        RelationshipRepair = "relationship-repair", "Relationship repair";
        /// DIT: finding the interpersonal affective focus together.
        IpafFormulation = "ipaf-formulation", "Formulation of the interpersonal affective focus";
        /// DIT: interpreting what happens between client and therapist.
        TransferenceInterpretation = "transference-interpretation", "Transference interpretation";
        /// Going through a talk step by step to see where it failed.
        CommunicationAnalysis = "communication-analysis", "Communication analysis";
        /// Preparing and working through the end of therapy.
        Termination = "termination", "Termination work";
        /// Restructuring and feeding back what the client has said.
        Clarification = "clarification", "Clarification";
        /// Practising to say and to hear what is meant.
        CommunicationSkillsTraining = "communication-skills-training", "Communication skills training";
        /// Practising to stand up for oneself.
        Assertiveness = "assertiveness", "Assertiveness training";
        /// Finding and keeping boundaries.
        BoundarySetting = "boundary-setting", "Boundary setting";
        /// Showing a behaviour so that the client can take it over.
        Modeling = "modeling", "Modeling";
        /// Telling the client how a behaviour comes across.
        Feedback = "feedback", "Feedback";
        /// Writing down events, thoughts and feelings.
        Journaling = "journaling", "Journaling";
        /// Planning physical activity.
        PhysicalActivity = "physical-activity", "Physical activity";
        /// Going back to memories of a lost person or relationship.
        RevisitingMemories = "revisiting-memories", "Revisiting memories";
        /// Agreeing on something to do between sessions.
        Homework = "homework", "Homework";
    }
}
