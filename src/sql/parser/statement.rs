//! Statements, except those that define sources, types and connectors.

use super::super::ast::{
    AssertSchema, AssertSource, AssertTopic, ConnectorKind, Explain, InsertValues, Literal, PrintTopic, QueryTarget,
    SourceKind, Statement, TimeSpan,
};
use super::super::error::{Expected, ParseErrorKind};
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind};
use super::super::nearest::nearest;
use super::hint::FIRST_WORDS;
use super::{Dialect, Parsed, Parser, is_identifier, shortened};

impl Parser<'_> {
    /// A statement, up to its `;`.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let first = self.index;
        self.height = 0;
        let statement = self.nested(Self::any_statement)?;
        self.check(&statement, first);
        Ok(statement)
    }

    fn any_statement(&mut self) -> Parsed<Statement> {
        if self.at_read() {
            let refusal = self.unknown_statement::<Statement>();
            return refusal.or_else(|refusal| self.read_statement(refusal));
        }
        let TokenKind::Keyword(keyword) = self.kind() else {
            return self.unknown_statement();
        };
        match keyword {
            Keyword::Select => self.select_statement(),
            Keyword::Create => self.create(),
            Keyword::Insert => self.insert(),
            Keyword::Drop => self.drop(),
            Keyword::Alter => self.alter(),
            Keyword::Show | Keyword::List => self.show(),
            Keyword::Describe => self.describe(),
            Keyword::Explain => self.explain(),
            Keyword::Diagnose => self.diagnose(),
            Keyword::Print => self.print(),
            Keyword::Terminate => self.query_target().map(Statement::Terminate),
            Keyword::Pause => self.query_target().map(Statement::Pause),
            Keyword::Resume => self.query_target().map(Statement::Resume),
            Keyword::Set => self.set(),
            Keyword::Unset => self.unset(),
            Keyword::Define => self.define_variable(),
            Keyword::Undefine => self.undefine_variable(),
            Keyword::Assert => self.assert(),
            Keyword::Run if self.dialect == Dialect::Test => self.run_script(),
            _ => self.unknown_statement(),
        }
    }

    fn unknown_statement<T>(&self) -> Parsed<T> {
        let found = shortened(self.text());
        let similar = nearest(&found, FIRST_WORDS);
        let hint = self.statement_hint();
        self.fail(ParseErrorKind::UnknownStatement { found, similar, hint })
    }

    // SHOW.

    fn show(&mut self) -> Parsed<Statement> {
        self.advance();
        if self.accept(Keyword::Properties) {
            return Ok(Statement::ShowProperties);
        }
        if let Some(topics) = self.show_topics()? {
            return Ok(topics);
        }
        if let Some(kind) = self.source_kinds() {
            let extended = self.accept(Keyword::Extended);
            return Ok(Statement::ShowSources { kind, extended });
        }
        if self.accept(Keyword::Functions) {
            return Ok(Statement::ShowFunctions);
        }
        if self.accept(Keyword::Types) {
            return Ok(Statement::ShowTypes);
        }
        if self.accept(Keyword::Variables) {
            return Ok(Statement::ShowVariables);
        }
        if self.accept(Keyword::Queries) {
            let extended = self.accept(Keyword::Extended);
            return Ok(Statement::ShowQueries { extended });
        }
        self.show_connectors()
    }

    fn show_topics(&mut self) -> Parsed<Option<Statement>> {
        let all = self.accept(Keyword::All);
        if all {
            self.expect(Keyword::Topics)?;
        } else if !self.accept(Keyword::Topics) {
            return Ok(None);
        }
        let extended = self.accept(Keyword::Extended);
        Ok(Some(Statement::ShowTopics { all, extended }))
    }

    /// STREAMS or TABLES.
    fn source_kinds(&mut self) -> Option<SourceKind> {
        if self.accept(Keyword::Streams) {
            return Some(SourceKind::Stream);
        }
        self.accept(Keyword::Tables).then_some(SourceKind::Table)
    }

    fn show_connectors(&mut self) -> Parsed<Statement> {
        if self.accept_all(&[Keyword::Connector, Keyword::Plugins])? {
            return Ok(Statement::ShowConnectorPlugins);
        }
        let kind = self.connector_kind();
        self.expect(Keyword::Connectors)?;
        Ok(Statement::ShowConnectors(kind))
    }

    /// SOURCE or SINK.
    pub(super) fn connector_kind(&mut self) -> Option<ConnectorKind> {
        if self.accept(Keyword::Source) {
            return Some(ConnectorKind::Source);
        }
        self.accept(Keyword::Sink).then_some(ConnectorKind::Sink)
    }

    // DESCRIBE, EXPLAIN, PRINT.

    fn describe(&mut self) -> Parsed<Statement> {
        self.advance();
        // The order of KSQL before ksqlDB: DESCRIBE EXTENDED name.
        if self.accept(Keyword::Extended) {
            let name = self.source_name()?;
            let extended = true;
            return Ok(Statement::DescribeSource { name, extended });
        }
        if self.accept(Keyword::Streams) {
            return Ok(self.describe_sources(SourceKind::Stream));
        }
        if self.accept(Keyword::Connector) {
            let name = self.identifier()?;
            return Ok(Statement::DescribeConnector { name });
        }
        // FUNCTION and TABLES may also be names of sources.
        if self.keyword_ahead(0, Keyword::Function) && self.identifier_ahead(1) {
            self.advance();
            let name = self.identifier()?;
            return Ok(Statement::DescribeFunction { name });
        }
        if self.accept(Keyword::Tables) {
            return Ok(self.describe_sources(SourceKind::Table));
        }
        let name = self.source_name()?;
        let extended = self.accept(Keyword::Extended);
        Ok(Statement::DescribeSource { name, extended })
    }

    fn describe_sources(&mut self, kind: SourceKind) -> Statement {
        let extended = self.accept(Keyword::Extended);
        Statement::DescribeSources { kind, extended }
    }

    fn explain(&mut self) -> Parsed<Statement> {
        self.advance();
        let ends = matches!(self.kind_ahead(1), TokenKind::Symbol(Symbol::Semicolon) | TokenKind::End);
        if is_identifier(self.kind()) && ends {
            return Ok(Statement::Explain(Explain::Query(self.identifier()?)));
        }
        let first = self.span();
        let statement = Box::new(self.nested(Self::any_statement)?);
        let span = first.to(self.previous_span());
        Ok(Statement::Explain(Explain::Statement { statement, span }))
    }

    fn diagnose(&mut self) -> Parsed<Statement> {
        self.advance();
        Ok(Statement::Diagnose(self.identifier()?))
    }

    fn print(&mut self) -> Parsed<Statement> {
        self.advance();
        let topic = self.resource_name()?;
        let from_beginning = self.accept_all(&[Keyword::From, Keyword::Beginning])?;
        let interval = if self.accept(Keyword::Interval) || self.accept(Keyword::Sample) {
            Some(self.integer("INTERVAL")?)
        } else {
            None
        };
        let limit = self.limit()?;
        Ok(Statement::PrintTopic(PrintTopic { topic, from_beginning, interval, limit }))
    }

    /// What TERMINATE, PAUSE or RESUME acts on.
    fn query_target(&mut self) -> Parsed<QueryTarget> {
        self.advance();
        if self.accept(Keyword::All) {
            return Ok(QueryTarget::All);
        }
        self.identifier().map(QueryTarget::Query)
    }

    // Properties and variables.

    fn set(&mut self) -> Parsed<Statement> {
        self.advance();
        let (name, value) = self.string_assignment()?;
        Ok(Statement::SetProperty { name, value })
    }

    /// `'name' = 'value'`.
    pub(super) fn string_assignment(&mut self) -> Parsed<(String, String)> {
        let name = self.string()?;
        self.expect_symbol(Symbol::Equal)?;
        Ok((name, self.string()?))
    }

    fn unset(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.string()?;
        Ok(Statement::UnsetProperty { name })
    }

    fn define_variable(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.variable_name()?;
        self.expect_symbol(Symbol::Equal)?;
        let value = self.string()?;
        Ok(Statement::DefineVariable { name, value })
    }

    fn undefine_variable(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.variable_name()?;
        Ok(Statement::UndefineVariable { name })
    }

    /// A plain word, even a reserved one.
    fn variable_name(&mut self) -> Parsed<String> {
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_)) {
            return self.unexpected_wanting(Expected::Any("a name"));
        }
        let token = self.advance();
        Ok(token.text(self.source).to_owned())
    }

    // ASSERT and RUN SCRIPT.

    fn assert(&mut self) -> Parsed<Statement> {
        self.advance();
        if self.dialect == Dialect::Test
            && let Some(statement) = self.assert_data()?
        {
            return Ok(statement);
        }
        let exists = !self.accept_all(&[Keyword::Not, Keyword::Exists])?;
        if self.accept(Keyword::Topic) {
            return self.assert_topic(exists);
        }
        self.expect(Keyword::Schema)?;
        self.assert_schema(exists)
    }

    fn assert_topic(&mut self, exists: bool) -> Parsed<Statement> {
        Ok(Statement::AssertTopic(AssertTopic {
            topic: self.resource_name()?,
            properties: self.with_clause()?,
            timeout: self.timeout()?,
            exists,
        }))
    }

    fn assert_schema(&mut self, exists: bool) -> Parsed<Statement> {
        let first = self.span();
        let subject = if self.accept(Keyword::Subject) { Some(self.resource_name()?) } else { None };
        let id = if self.accept(Keyword::Id) { Some(self.schema_id()?) } else { None };
        let timeout = self.timeout()?;
        if subject.is_none() && id.is_none() {
            self.note_invalid(ParseErrorKind::NothingToAssert, first);
        }
        Ok(Statement::AssertSchema(AssertSchema { subject, id, timeout, exists }))
    }

    fn schema_id(&mut self) -> Parsed<i32> {
        let span = self.span();
        match self.literal()? {
            Some(Literal::Integer(id)) => Ok(id),
            Some(Literal::Variable(_)) => Ok(0),
            Some(_) => {
                self.note_invalid(ParseErrorKind::InvalidSchemaId, span);
                Ok(0)
            }
            None => self.unexpected_wanting(Expected::Any("a number")),
        }
    }

    fn timeout(&mut self) -> Parsed<Option<TimeSpan>> {
        if self.accept(Keyword::Timeout) {
            return self.time_span().map(Some);
        }
        Ok(None)
    }

    /// The ASSERTs of test scripts.
    fn assert_data(&mut self) -> Parsed<Option<Statement>> {
        if self.accept(Keyword::Values) {
            let record = self.asserted_record(Keyword::Values)?;
            return Ok(Some(Statement::AssertValues(record)));
        }
        if self.accept_all(&[Keyword::Null, Keyword::Values])? {
            let record = self.asserted_record(Keyword::Key)?;
            return Ok(Some(Statement::AssertTombstone(record)));
        }
        let span = self.previous_span();
        let Some(kind) = self.source_kind() else {
            return Ok(None);
        };
        Ok(Some(Statement::AssertSource(AssertSource {
            kind,
            name: self.source_name()?,
            columns: self.column_definitions()?,
            properties: self.with_clause()?,
            span,
        })))
    }

    fn asserted_record(&mut self, before_values: Keyword) -> Parsed<InsertValues> {
        let target = self.source_name()?;
        self.values_of(target, before_values)
    }

    fn run_script(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect(Keyword::Script)?;
        Ok(Statement::RunScript { path: self.string()? })
    }
}
