'use client';

import type { Core, ElementDefinition, StylesheetJson } from 'cytoscape';
import { useEffect, useRef, useState } from 'react';
import { ENTITY_COLOURS } from '@/client/entity-colours';
import { useIsDark } from '@/client/theme';
import styles from '@/components/graph-panel.module.css';
import type { GraphEdge, GraphNode } from '@/lib/server/entity-graph';

interface Props {
  nodes: GraphNode[];
  edges: GraphEdge[];
  selected: string | null;
  onSelect: (id: string | null) => void;
}

/** The graph, drawn by Cytoscape.js. */
export function EntityGraph({ nodes, edges, selected, onSelect }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const [graph, setGraph] = useState<Core | null>(null);
  const isDark = useIsDark();

  useEffect(() => {
    const drawing = draw(container.current, elementsOf(nodes, edges));
    let isGone = false;
    drawing.then((drawn) => {
      drawn.on('tap', ({ target }) => onSelect(target === drawn || target.isEdge() ? null : target.id()));
      if (!isGone) setGraph(drawn);
    });
    return () => {
      isGone = true;
      setGraph(null);
      drawing.then((drawn) => drawn.destroy());
    };
  }, [nodes, edges, onSelect]);

  // biome-ignore lint/correctness/useExhaustiveDependencies(isDark): the colours are read from the page.
  useEffect(() => {
    graph?.style(styleOf(container.current));
  }, [graph, isDark]);

  useEffect(() => {
    if (graph) mark(graph, selected);
  }, [graph, selected]);

  const label = `Graph of ${nodes.length} entities and ${edges.length} relations; the list has the same.`;
  return <div ref={container} className={styles.canvas} role="img" aria-label={label} />;
}

/** Far enough apart for the names to be read. */
const LAYOUT = {
  name: 'cose',
  animate: false,
  padding: 28,
  nodeRepulsion: () => 250_000,
  nodeOverlap: 40,
  idealEdgeLength: () => 70,
  nodeDimensionsIncludeLabels: true,
  gravity: 0.4,
  numIter: 2000,
};

/** The library is loaded where there is something to draw. */
async function draw(container: HTMLElement | null, elements: ElementDefinition[]): Promise<Core> {
  const { default: cytoscape } = await import('cytoscape');
  return cytoscape({ container, elements, layout: LAYOUT, minZoom: 0.3, maxZoom: 2.5 });
}

function elementsOf(nodes: GraphNode[], edges: GraphEdge[]): ElementDefinition[] {
  const size = (frequency: number) => 16 + 6 * Math.log2(1 + frequency);
  return [
    ...nodes.map(({ id, name, type, frequency }) => ({
      data: { id, name, colour: ENTITY_COLOURS[type], size: size(frequency) },
    })),
    ...edges.map(({ id, source, target, relationship, weight }) => ({
      data: { id, source, target, width: Math.min(1 + weight / 2, 5) },
      classes: relationship === 'CO_OCCURS' ? 'together' : 'stated',
    })),
  ];
}

/** The chosen entity and its neighbours stand out. */
function mark(graph: Core, selected: string | null) {
  graph.elements().removeClass('faded chosen');
  if (selected === null) return;
  const node = graph.getElementById(selected);
  graph.elements().not(node.closedNeighborhood()).addClass('faded');
  node.addClass('chosen');
}

function styleOf(element: HTMLElement | null): StylesheetJson {
  const text = getComputedStyle(element ?? document.body).color;
  const label = {
    label: 'data(name)',
    color: text,
    'font-size': 13,
    'text-valign': 'bottom',
    'text-margin-y': 4,
  };
  const node = { ...label, 'background-color': 'data(colour)', width: 'data(size)', height: 'data(size)' };
  const edge = { width: 'data(width)', 'line-color': text, 'line-opacity': 0.35, 'curve-style': 'bezier' };
  const arrow = { 'target-arrow-shape': 'triangle', 'target-arrow-color': text, 'arrow-scale': 0.8 };
  return [
    { selector: 'node', style: node },
    { selector: 'edge', style: edge },
    { selector: 'edge.stated', style: arrow },
    { selector: 'edge.together', style: { 'line-style': 'dashed', 'line-opacity': 0.2 } },
    { selector: '.faded', style: { opacity: 0.15 } },
    { selector: 'node.chosen', style: { 'border-width': 3, 'border-color': text } },
  ] as StylesheetJson;
}
