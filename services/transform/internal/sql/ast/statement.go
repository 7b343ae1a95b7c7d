package ast

// Statement is a complete statement.
type Statement interface {
	Node
	statementNode()
}

// Type is a data type as written.
type Type struct {
	At
	Name     string // upper case, such as VARCHAR, or TIMESTAMP WITH LOCAL TIME ZONE
	Path     Path   // a user's type
	Params   []int
	Elem     *Type // ARRAY, MULTISET; MAP's value
	Key      *Type
	Fields   []TypeField
	Class    string // RAW
	Interval *IntervalUnit
	Nullable *bool // NULL or NOT NULL as written
}

// TypeField is a field of a ROW type.
type TypeField struct {
	Name    Name
	Type    *Type
	Comment string
}

// ColumnDef is a column of CREATE TABLE.
type ColumnDef struct {
	At
	Name        Name
	Type        *Type // nil for a computed column
	Expr        Expr  // computed
	Metadata    bool
	MetadataKey *string
	Virtual     bool
	PrimaryKey  bool // written at the column
	Comment     *string
	Position    string // ALTER: FIRST or AFTER
	After       *Name
}

// Watermark is WATERMARK FOR column AS expr.
type Watermark struct {
	At
	Column Path
	Expr   Expr
}

// Constraint is [CONSTRAINT name] PRIMARY KEY (columns) [NOT ENFORCED].
type Constraint struct {
	At
	Name     *Name
	Unique   bool
	Columns  []Name
	Enforced *bool
}

// TableElements are what stands in the parentheses of CREATE TABLE.
type TableElements struct {
	Columns     []*ColumnDef
	Names       []Name // CREATE TABLE t (a, b) … AS SELECT
	Watermark   *Watermark
	Constraints []*Constraint
}

// LikeOption is a word pair of a LIKE clause, such as EXCLUDING OPTIONS.
type LikeOption struct {
	At
	Action  string // INCLUDING, EXCLUDING, OVERWRITING
	Feature string // ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS, PARTITIONS, WATERMARKS, DISTRIBUTION
}

// LikeTable is the LIKE clause of CREATE TABLE.
type LikeTable struct {
	At
	Table   Path
	Options []LikeOption
}

// CreateTable is CREATE [TEMPORARY] TABLE.
type CreateTable struct {
	At
	Temporary   bool
	OrReplace   bool
	IfNotExists bool
	Path        Path
	TableElements
	Comment       *string
	PartitionedBy []Name
	Distribution  string // DISTRIBUTED … as written
	Options       []Option
	Like          *LikeTable
	As            *Query
}

// Insert is the INSERT that CREATE TABLE … AS SELECT stands for.
func (c *CreateTable) Insert() *Insert { return &Insert{At: c.At, Table: c.Path, Query: c.As} }

// CreateView is CREATE [TEMPORARY] VIEW.
type CreateView struct {
	At
	Temporary   bool
	IfNotExists bool
	Path        Path
	Columns     []Name
	Comment     *string
	Query       *Query
}

// CreateFunction is CREATE FUNCTION.
type CreateFunction struct {
	At
	Temporary   bool
	System      bool
	IfNotExists bool
	Path        Path
	Class       string
	Language    string
	Using       []string
	Options     []Option
	// Params, Returns and Body are our SQL-bodied functions:
	// CREATE FUNCTION f(x INT) RETURNS INT AS x + 1 (or RETURN x + 1).
	HasParams bool
	Params    []TypeField
	Returns   *Type
	Body      Expr
}

// CreateCatalog is CREATE CATALOG.
type CreateCatalog struct {
	At
	IfNotExists bool
	Name        Name
	Comment     *string
	Options     []Option
}

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	At
	IfNotExists bool
	Path        Path
	Comment     *string
	Options     []Option
}

// Drop is DROP of a TABLE, VIEW, FUNCTION, CATALOG or DATABASE.
type Drop struct {
	At
	What      string
	Temporary bool
	System    bool
	IfExists  bool
	Path      Path
	Cascade   bool
	Restrict  bool
}

// Alter is ALTER of anything. Action is RENAME TO, RENAME COLUMN, SET, RESET,
// ADD, MODIFY, DROP COLUMN, DROP PRIMARY KEY, DROP CONSTRAINT, DROP WATERMARK, AS,
// COMMENT, or ADD/DROP PARTITION.
type Alter struct {
	At
	What     string // TABLE, VIEW, FUNCTION, DATABASE, CATALOG
	IfExists bool
	Path     Path
	Action   string
	NewPath  Path   // RENAME TO
	Names    []Name // columns dropped; from and to of RENAME COLUMN; the constraint
	Options  []Option
	Keys     []string // RESET
	Elements TableElements
	Query    *Query // AS
	Class    string // ALTER FUNCTION … AS 'class'
	Language string
	Comment  *string
}

// Show is SHOW of something. What is TABLES, VIEWS, CREATE TABLE, COLUMNS and so on.
type Show struct {
	At
	What     string
	Path     Path // of what, or FROM
	From     Path
	Not      bool
	Like     *string
	ILike    bool
	UserOnly bool // SHOW USER FUNCTIONS
	Full     bool // SHOW FULL MODULES
}

// Describe is DESCRIBE of a table, DATABASE, CATALOG, FUNCTION.
type Describe struct {
	At
	What     string // empty for a table
	Path     Path
	Extended bool
}

// Set is SET 'key' = 'value'; without a key it lists all.
type Set struct {
	At
	Key, Value string
	All        bool
}

// Reset is RESET 'key'; without a key it resets all.
type Reset struct {
	At
	Key string
	All bool
}

// Use is USE [CATALOG | MODULES] name.
type Use struct {
	At
	What  string // "", CATALOG, MODULES
	Path  Path
	Names []Name
}

// Explain is EXPLAIN [details] statement.
type Explain struct {
	At
	Details   []string // ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE
	PlanFor   bool
	Statement Statement
}

// Insert is INSERT INTO or OVERWRITE.
type Insert struct {
	At
	Overwrite bool
	Table     Path
	Hints     []Hint
	Partition []Option
	Columns   []Path
	Query     *Query
	Execute   bool // EXECUTE INSERT
}

// StatementSet is EXECUTE STATEMENT SET BEGIN … END, or BEGIN STATEMENT SET … END.
type StatementSet struct {
	At
	Inserts []*Insert
}

// QueryStatement is a query as a statement.
type QueryStatement struct {
	At
	Query *Query
}

// Delete is DELETE FROM.
type Delete struct {
	At
	Table Path
	Where Expr
}

// Update is UPDATE … SET.
type Update struct {
	At
	Table   Path
	Columns []Name
	Values  []Expr
	Where   Expr
}

// Other is a statement that is only known by its words: LOAD MODULE, ADD JAR,
// CALL, TRUNCATE TABLE, ANALYZE, STOP JOB.
type Other struct {
	At
	Words string // the first words, in upper case
	Text  string
}

func (*CreateTable) statementNode()    {}
func (*CreateView) statementNode()     {}
func (*CreateFunction) statementNode() {}
func (*CreateCatalog) statementNode()  {}
func (*CreateDatabase) statementNode() {}
func (*Drop) statementNode()           {}
func (*Alter) statementNode()          {}
func (*Show) statementNode()           {}
func (*Describe) statementNode()       {}
func (*Set) statementNode()            {}
func (*Reset) statementNode()          {}
func (*Use) statementNode()            {}
func (*Explain) statementNode()        {}
func (*Insert) statementNode()         {}
func (*StatementSet) statementNode()   {}
func (*QueryStatement) statementNode() {}
func (*Delete) statementNode()         {}
func (*Update) statementNode()         {}
func (*Other) statementNode()          {}
