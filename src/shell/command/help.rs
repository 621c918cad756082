//! What `help` shows.

/// Of the shell.
pub(in crate::shell) const HELP: &str = "\
Statements end with ; and may span lines. Some to begin with:
  SHOW STREAMS;  SHOW TABLES;  SHOW TOPICS;  SHOW QUERIES;
  DESCRIBE flights;                        columns of a stream or table
  PRINT 'flights' FROM BEGINNING LIMIT 3;  records of a topic, as they stand in it
  SELECT * FROM delays WHERE carrier = 'UA';   the current row of a table
  SET 'auto.offset.reset' = 'earliest';    queries after this read from the beginning
  SELECT * FROM flights EMIT CHANGES LIMIT 5;
  SELECT * FROM flights EMIT CHANGES;      rows as they come; Ctrl-C stops the query

Commands, without ;
  \\d [name]            streams and tables, or the columns of one; \\ds streams, \\dt tables
  \\df [name]           functions, those with a name like this, or all about one
  \\dq [id]             queries, or all about one
  \\dk                  topics
  \\viz [id|statement]  the dataflow as a picture; ... > file.svg or file.dot draws it there
  \\progress            how far queries are that come back or catch up; Ctrl-C ends it
  \\watch [seconds]     the last statement again and again (2); Ctrl-C ends it
  \\timing [on|off]     how long statements take
  \\x [on|off]          rows one below the other
  \\format FORM         table, expanded, json (a line per row), json-array, csv; output FORM too
  \\pager [on|off|CMD]  the program for results longer than the terminal
  \\keys vi|emacs       keys of the line editor
  history              what was typed; Ctrl-R searches it
  run script 'file'    run the statements of a file; \\i too
  spool 'file'|off     copy all that is shown into a file
  server [URL]         the server that is asked, or another one
  request-pipelining [on|off]   send statements without waiting for those before them
  set cli wrap on|off, set cli column-width N
  version, clear, help, exit    \\? and \\q for short; Ctrl-D exits too
";
