import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './main.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { EXAMPLES } from './examples.ts';
import { Header } from './header.tsx';

// The page is served at the address of the graph itself.
const url = new URL(window.location.pathname, window.location.href);
const sockets = new URL(url);
sockets.protocol = url.protocol.replace('http', 'ws');
const fetcher = createGraphiQLFetcher({ url: url.href, subscriptionUrl: sockets.href });
const plugins = [HISTORY_PLUGIN, explorerPlugin()];

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <Header />
    <GraphiQL fetcher={fetcher} plugins={plugins} defaultTabs={EXAMPLES} defaultEditorToolsVisibility={false}>
      <GraphiQL.Logo>{null}</GraphiQL.Logo>
    </GraphiQL>
  </StrictMode>,
);
