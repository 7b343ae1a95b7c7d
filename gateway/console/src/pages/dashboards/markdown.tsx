import { marked, type Token, type Tokens } from "marked";
import type { ReactNode } from "react";
import { safe } from "./safe";

/** Markdown shows a text with headings, lists, tables and links. HTML in it stays text. */
export default function Markdown({ text }: { text: string }) {
  // What may need scrolling can be scrolled by keyboard.
  return (
    <div className="dash-text" {...(text.includes("\n") ? { tabIndex: 0 } : {})}>
      {blocks(marked.lexer(text, { gfm: true }))}
    </div>
  );
}

function blocks(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, i) => <Block key={i} token={token} />);
}

function Block({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      // The page's own title is the first level.
      return depth <= 2 ? <h2>{inline(tokens)}</h2> : <h3>{inline(tokens)}</h3>;
    }
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inline(tokens) : text;
    }
    case "code":
      return <pre>{(token as Tokens.Code).text}</pre>;
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens)}</blockquote>;
    case "list": {
      const { ordered, items } = token as Tokens.List;
      const lines = items.map((item, i) => <li key={i}>{blocks(item.tokens)}</li>);
      return ordered ? <ol>{lines}</ol> : <ul>{lines}</ul>;
    }
    case "table":
      return <Table token={token as Tokens.Table} />;
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return <p>{token.raw}</p>;
  }
}

function Table({ token }: { token: Tokens.Table }) {
  return (
    <table className="table">
      <thead>
        <tr>
          {token.header.map((cell, i) => (
            <th key={i}>{inline(cell.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, k) => (
              <td key={k}>{inline(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inline(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, i) => <Inline key={i} token={token} />);
}

function Inline({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      return safe(href) ? (
        <a href={href} rel="noreferrer" target={href.startsWith("/") ? undefined : "_blank"}>
          {inline(tokens)}
        </a>
      ) : (
        inline(tokens)
      );
    }
    case "escape":
      return (token as Tokens.Escape).text;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inline(tokens) : text;
    }
    default:
      // Images would come from elsewhere, and HTML is not for strangers to write.
      return token.raw;
  }
}
