-- What several tests begin with; `RUN SCRIPT 'parts/loans.sql'` brings it in.
CREATE STREAM loans (reader STRING KEY, book STRING) WITH (kafka_topic = 'loans', value_format = 'json');
CREATE STREAM titles AS SELECT reader, book + '!' AS title FROM loans;
