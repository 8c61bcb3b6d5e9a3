//! From tokens to an expression (FHIRPath N1, appendix A "grammar"): precedence climbing, with a limited depth.

use super::function::Function;
use super::quantity::{Quantity, Unit};
use super::syntax::{Call, Link, Literal, Node, Operator, Parsed, Step, TypeName, Variable};
use super::temporal::CalendarUnit;
use super::token::{self, Token};
use super::{Decimal, SyntaxError, SyntaxFault};

/// How deep brackets may be nested, and how high the tree of what is read may be. A row of operands and a path are flat,
/// so the deepest invariant that is published needs a quarter of it.
const DEEPEST: usize = 40;
/// No expression of any package is longer than a hundredth of this.
const LONGEST: usize = 256 * 1024;

/// How tightly the operators of a level bind, from the loosest.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("implies", Operator::Implies)],
    &[("or", Operator::Or), ("xor", Operator::Xor)],
    &[("and", Operator::And)],
    &[("in", Operator::In), ("contains", Operator::Contains)],
    &[
        ("=", Operator::Equal),
        ("~", Operator::Equivalent),
        ("!=", Operator::NotEqual),
        ("!~", Operator::NotEquivalent),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ],
    &[("|", Operator::Union)],
    // `is` and `as` stand here.
    &[],
    &[("+", Operator::Plus), ("-", Operator::Minus), ("&", Operator::Concatenate)],
    &[
        ("*", Operator::Times),
        ("/", Operator::Divide),
        ("div", Operator::Div),
        ("mod", Operator::Mod),
    ],
];
const TYPE_LEVEL: usize = 7;

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Parsed<Node> {
    if text.len() > LONGEST {
        return Err(SyntaxError { fault: SyntaxFault::TooLong, offset: 0 });
    }
    let tokens = token::read(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0, height: 0 };
    let expression = parser.expression(0)?;
    if parser.at < tokens.len() {
        return Err(parser.fault(SyntaxFault::Unexpected));
    }
    Ok(expression)
}

struct Parser<'t, 'e> {
    tokens: &'t [(usize, Token<'e>)],
    at: usize,
    end: usize,
    depth: usize,
    /// How high the tree of what was read last is.
    height: usize,
}

impl<'t, 'e> Parser<'t, 'e> {
    fn peek(&self) -> Option<&'t Token<'e>> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn fault(&self, fault: SyntaxFault) -> SyntaxError {
        SyntaxError { fault, offset: self.tokens.get(self.at).map_or(self.end, |(at, _)| *at) }
    }

    fn takes(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(found)) if *found == mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.takes(mark) { Ok(()) } else { Err(self.fault(SyntaxFault::Unexpected)) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(SyntaxFault::TooDeep));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn operator(&self, level: usize) -> Option<Operator> {
        let word = match self.peek()? {
            Token::Mark(mark) => mark,
            Token::Name(name) => *name,
            _ => return None,
        };
        LEVELS.get(level)?.iter().find(|(text, _)| *text == word).map(|(_, operator)| *operator)
    }

    /// An expression whose operators bind at least as tightly as a level's.
    fn expression(&mut self, level: usize) -> Parsed<Node> {
        if level == 0 {
            return self.deeper(|parser| parser.level(0));
        }
        self.level(level)
    }

    fn level(&mut self, level: usize) -> Parsed<Node> {
        if level >= LEVELS.len() {
            return self.signed();
        }
        let first = self.level(level + 1)?;
        let mut height = self.height;
        let mut links = Vec::new();
        loop {
            if level == TYPE_LEVEL {
                let Some(Token::Name(word @ ("is" | "as"))) = self.peek() else { break };
                self.at += 1;
                let name = self.type_name()?;
                links.push(if *word == "is" { Link::Is(name) } else { Link::As(name) });
            } else {
                let Some(operator) = self.operator(level) else { break };
                self.at += 1;
                links.push(Link::Operator(operator, self.level(level + 1)?));
                height = height.max(self.height);
            }
        }
        if links.is_empty() {
            return Ok(first);
        }
        self.rise(height)?;
        Ok(Node::Row { first: Box::new(first), links })
    }

    /// Something stands on what is so high.
    fn rise(&mut self, height: usize) -> Parsed<()> {
        self.height = height + 1;
        if self.height > DEEPEST { Err(self.fault(SyntaxFault::TooDeep)) } else { Ok(()) }
    }

    fn signed(&mut self) -> Parsed<Node> {
        if self.takes("-") {
            let operand = self.deeper(Self::signed)?;
            self.rise(self.height)?;
            return Ok(Node::Negative(Box::new(operand)));
        }
        if self.takes("+") {
            let operand = self.deeper(Self::signed)?;
            self.rise(self.height)?;
            return Ok(Node::Positive(Box::new(operand)));
        }
        self.path()
    }

    fn path(&mut self) -> Parsed<Node> {
        let mut steps = Vec::new();
        self.height = 0;
        let start = self.term(&mut steps)?;
        let mut height = self.height;
        loop {
            if self.takes(".") {
                self.height = 0;
                let step = self.invocation(false)?;
                steps.push(step);
            } else if self.takes("[") {
                let item = self.expression(0)?;
                self.expect("]")?;
                steps.push(Step::Item(item));
            } else {
                break;
            }
            height = height.max(self.height);
        }
        self.height = height;
        if steps.is_empty() {
            return Ok(start);
        }
        self.rise(height)?;
        Ok(Node::Path { start: Box::new(start), steps })
    }

    fn term(&mut self, steps: &mut Vec<Step>) -> Parsed<Node> {
        let Some(token) = self.peek() else { return Err(self.fault(SyntaxFault::Ends)) };
        let literal = match token {
            Token::Name("true") => Literal::Boolean(true),
            Token::Name("false") => Literal::Boolean(false),
            Token::Text(text) => Literal::Text(text.as_str().into()),
            Token::Temporal(temporal) => Literal::Temporal(*temporal),
            Token::Integer(value) => {
                self.at += 1;
                let number = Decimal::from(*value);
                return Ok(Node::Literal(match self.unit() {
                    Some(unit) => Literal::Quantity(Quantity::new(number, unit)),
                    None => Literal::Integer(*value),
                }));
            }
            Token::Decimal(value) => {
                self.at += 1;
                return Ok(Node::Literal(match self.unit() {
                    Some(unit) => Literal::Quantity(Quantity::new(*value, unit)),
                    None => Literal::Decimal(*value),
                }));
            }
            Token::Dollar(name) => {
                let node = match *name {
                    "this" => Node::This,
                    "index" => Node::Index,
                    "total" => Node::Total,
                    _ => return Err(self.fault(SyntaxFault::Unexpected)),
                };
                self.at += 1;
                return Ok(node);
            }
            Token::Percent => {
                self.at += 1;
                return self.variable();
            }
            Token::Mark("(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Mark("{") => {
                self.at += 1;
                self.expect("}")?;
                return Ok(Node::Empty);
            }
            Token::Name(_) | Token::Quoted(_) => {
                steps.push(self.invocation(true)?);
                return Ok(Node::This);
            }
            Token::Mark(_) => return Err(self.fault(SyntaxFault::Unexpected)),
        };
        self.at += 1;
        Ok(Node::Literal(literal))
    }

    /// The unit behind a number.
    fn unit(&mut self) -> Option<Unit<'static>> {
        let unit = match self.peek()? {
            Token::Text(code) => match CalendarUnit::of_word(code) {
                Some(unit) => Unit::Calendar(unit),
                None => Unit::Ucum(code.clone().into()),
            },
            Token::Name(word) => Unit::Calendar(CalendarUnit::of_word(word)?),
            _ => return None,
        };
        self.at += 1;
        Some(unit)
    }

    fn variable(&mut self) -> Parsed<Node> {
        let name = match self.peek() {
            Some(Token::Name(name)) => {
                // `%vs-name` without quotes, as drafts of FHIR have it, is no name of the grammar.
                (*name).to_owned()
            }
            Some(Token::Quoted(name) | Token::Text(name)) => name.clone(),
            _ => return Err(self.fault(SyntaxFault::Unexpected)),
        };
        self.at += 1;
        let text = |text: String| Variable::Text(text.into());
        let definition = "http://hl7.org/fhir/StructureDefinition/";
        Ok(Node::Variable(match name.as_str() {
            "resource" => Variable::Resource,
            "rootResource" => Variable::RootResource,
            "context" => Variable::Context,
            "ucum" => text("http://unitsofmeasure.org".into()),
            "sct" => text("http://snomed.info/sct".into()),
            "loinc" => text("http://loinc.org".into()),
            other => match (other.strip_prefix("vs-"), other.strip_prefix("ext-")) {
                (Some(set), _) => text(format!("http://hl7.org/fhir/ValueSet/{set}")),
                (_, Some(extension)) => text(format!("{definition}{extension}")),
                _ => Variable::Named(other.into()),
            },
        }))
    }

    fn invocation(&mut self, is_first: bool) -> Parsed<Step> {
        match self.peek() {
            Some(Token::Dollar("this")) => {
                // `a.$this` is a way to write `a`.
                self.at += 1;
                Ok(Step::Call(Call::new(Function::Trace, Vec::new())))
            }
            Some(Token::Name(name)) => {
                let called = matches!(self.tokens.get(self.at + 1), Some((_, Token::Mark("("))));
                if called {
                    return self.call(name);
                }
                self.at += 1;
                let name: Box<str> = (*name).into();
                Ok(if is_first { Step::First(name) } else { Step::Member(name) })
            }
            Some(Token::Quoted(name)) => {
                self.at += 1;
                let name: Box<str> = name.as_str().into();
                Ok(if is_first { Step::First(name) } else { Step::Member(name) })
            }
            None => Err(self.fault(SyntaxFault::Ends)),
            Some(_) => Err(self.fault(SyntaxFault::Unexpected)),
        }
    }

    fn call(&mut self, name: &str) -> Parsed<Step> {
        let Some(function) = Function::of_name(name) else {
            return Err(self.fault(SyntaxFault::UnknownFunction));
        };
        let start = self.at;
        self.at += 2;
        if matches!(function, Function::Is | Function::As | Function::OfType) {
            let name = self.type_name()?;
            self.expect(")")?;
            return Ok(match function {
                Function::Is => Step::Is(name),
                Function::As => Step::As(name),
                _ => Step::OfType(name),
            });
        }
        let mut arguments = Vec::new();
        let mut height = 0;
        if !self.takes(")") {
            loop {
                arguments.push(self.expression(0)?);
                height = height.max(self.height);
                if !self.takes(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.height = height;
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            self.at = start;
            return Err(self.fault(SyntaxFault::Arguments));
        }
        Ok(Step::Call(Call::new(function, arguments)))
    }

    fn type_name(&mut self) -> Parsed<TypeName> {
        let name = self.name()?;
        if self.takes(".") {
            return Ok(TypeName { namespace: Some(name), name: self.name()? });
        }
        Ok(TypeName { namespace: None, name })
    }

    fn name(&mut self) -> Parsed<Box<str>> {
        let name = match self.peek() {
            Some(Token::Name(name)) => (*name).into(),
            Some(Token::Quoted(name) | Token::Text(name)) => name.as_str().into(),
            _ => return Err(self.fault(SyntaxFault::Unexpected)),
        };
        self.at += 1;
        Ok(name)
    }
}
