import icon from './icon.svg';

/** The strip above the playground: what this is, and where it is documented. */
export function Header() {
  return (
    <header className="stowage-header">
      <img src={icon} alt="" width="24" height="24" />
      <h1>Stowage</h1>
      <p>container images in one graph</p>
      <nav>
        <a href="./schema.graphql">Schema with its documentation</a>
      </nav>
    </header>
  );
}
